#include "base/proc_events.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/cn_proc.h>
#include <linux/connector.h>
#include <linux/netlink.h>

#include "base/netlink.h"

namespace guard {
namespace {

std::string message_of(const proc_event& event) {
    cn_msg head{};
    head.id = {CN_IDX_PROC, CN_VAL_PROC};
    head.len = sizeof event;
    return netlink::encode({NLMSG_DONE, 0, netlink::bytes_of(head) + netlink::bytes_of(event), ""}, 0);
}

proc_event exec_of(pid_t process) {
    proc_event event{};
    event.what = proc_event::PROC_EVENT_EXEC;
    event.event_data.exec.process_tgid = process;
    return event;
}

TEST(ProcEventsTest, EachProcessOfADatagramIsNamedOnce) {
    proc_event fork{};
    fork.what = proc_event::PROC_EVENT_FORK;
    fork.event_data.fork.parent_tgid = 41;
    fork.event_data.fork.child_tgid = 42;
    EXPECT_THAT(processes_in_events(message_of(exec_of(7)) + message_of(fork) + message_of(exec_of(7))),
                testing::ElementsAre(7, 41));
}

TEST(ProcEventsTest, ANameIsNoChangeOfRights) {
    proc_event event{};
    event.what = proc_event::PROC_EVENT_COMM;
    event.event_data.comm.process_tgid = 7;
    EXPECT_THAT(processes_in_events(message_of(event)), testing::IsEmpty());
}

TEST(ProcEventsTest, BrokenBytesAreAboutNobody) {
    const auto whole = message_of(exec_of(7));
    for (std::size_t size = 0; size < whole.size(); ++size)
        EXPECT_THAT(processes_in_events(std::string_view(whole).substr(0, size)), testing::IsEmpty()) << size;
    EXPECT_THAT(processes_in_events(std::string(64, '\0')), testing::IsEmpty());
}

}  // namespace
}  // namespace guard
