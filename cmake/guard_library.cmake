# What every target of this project is built with. Options sit on targets, never on the whole build, so that
# a consumer of the installed libraries inherits none of them.
find_package(PkgConfig REQUIRED)

function(guard_options target)
  target_compile_features(${target} PUBLIC cxx_std_23)
  set_target_properties(${target} PROPERTIES CXX_EXTENSIONS ON)
  target_include_directories(${target} PUBLIC "${CMAKE_SOURCE_DIR}")
  target_compile_definitions(${target} PRIVATE _GNU_SOURCE FMT_HEADER_ONLY)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wshadow -Wno-missing-field-initializers
    $<$<BOOL:${GUARD_WERROR}>:-Werror>)
  if(GUARD_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=address,undefined -fno-sanitize-recover=undefined
      -fno-omit-frame-pointer)
    target_link_options(${target} PUBLIC -fsanitize=address,undefined)
  endif()
endfunction()

# guard_library(NAME DEPENDS lib...): one static library for one folder, all of its .cpp files.
function(guard_library name)
  cmake_parse_arguments(arg "" "" "DEPENDS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/*.cpp")
  if(NOT sources)
    return()  # a room is born with its first file
  endif()
  add_library(guard_${name} STATIC ${sources})
  guard_options(guard_${name})
  target_link_libraries(guard_${name} PUBLIC ${arg_DEPENDS})
endfunction()
