# guard_bpf_object(TARGET SOURCE): compiles a BPF program (C) for the kernel and gives its bytes to TARGET: with SOURCE
# base/x.bpf.c there is "base/x_object.h", with std::span<const unsigned char> x_object().
function(guard_bpf_object target source)
  find_program(GUARD_BPF_CLANG NAMES clang-19 clang clang-16 clang-15 clang-14)
  if(NOT GUARD_BPF_CLANG)
    message(FATAL_ERROR "clang compiles the BPF program of `guard audit` and is missing: "
      "apt-get install clang-19, or build without it: -DGUARD_EXACT=OFF")
  endif()
  get_filename_component(name ${source} NAME_WE)
  set(folder "${CMAKE_BINARY_DIR}/generated/base")
  add_custom_command(
    OUTPUT "${folder}/${name}.o"
    COMMAND ${CMAKE_COMMAND} -E make_directory "${folder}"
    # -g: the names of the members it reads; where they are is looked up in the running kernel.
    COMMAND ${GUARD_BPF_CLANG} -O2 -g -target bpf -mcpu=v3 -Wall -Wextra $<$<BOOL:${GUARD_WERROR}>:-Werror>
      -I "${CMAKE_SOURCE_DIR}" -I "/usr/include/${CMAKE_LIBRARY_ARCHITECTURE}"
      -MD -MF "${folder}/${name}.d" -c "${CMAKE_CURRENT_SOURCE_DIR}/${source}" -o "${folder}/${name}.o"
    DEPENDS "${CMAKE_CURRENT_SOURCE_DIR}/${source}"
    DEPFILE "${folder}/${name}.d"
    VERBATIM)
  add_custom_command(
    OUTPUT "${folder}/${name}_object.h"
    COMMAND ${CMAKE_COMMAND} -D "object=${folder}/${name}.o" -D "header=${folder}/${name}_object.h" -D "name=${name}_object"
      -P "${CMAKE_SOURCE_DIR}/cmake/embed.cmake"
    DEPENDS "${folder}/${name}.o" "${CMAKE_SOURCE_DIR}/cmake/embed.cmake"
    VERBATIM)
  target_sources(${target} PRIVATE "${folder}/${name}_object.h")
  target_include_directories(${target} PRIVATE "${CMAKE_BINARY_DIR}/generated")
endfunction()
