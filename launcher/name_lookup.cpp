#include "launcher/name_lookup.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <grp.h>
#include <linux/close_range.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

#include "base/sys.h"
#include "launcher/dns_lookup.h"

namespace guard::launcher {

/// One line from the process that asks; under PIPE_BUF, so that it arrives whole. pipe(7)
struct NameLookup::Answer {
    enum class Kind : std::uint8_t { address, answered, silence } kind = Kind::silence;
    std::size_t name = 0;
    IpAddress address;
    std::int64_t lives = 0;  ///< seconds
};

namespace {

using std::chrono::seconds;

constexpr seconds kRetry{10};                  // after silence
constexpr seconds kPatience{60};               // with one round: resolver(3) waits for ever for a TCP answer
constexpr std::ptrdiff_t kMostAddresses = 64;  // of one name
constexpr int kAtOnce = 256;                   // answers taken before the supervisor looks at anything else

/// What reads the answers of strangers holds nothing of guard's: no right, no descriptor but `kept`.
bool give_up_rights(int kept) {
    constexpr id_t kNobody = 65534;
    if (::dup2(kept, 3) < 0 || ::syscall(SYS_close_range, 4U, ~0U, 0) < 0) return false;
    const int null = ::open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; fd < 3; ++fd) ::dup2(null, fd);
    if (::geteuid() == 0 && (::setgroups(0, nullptr) < 0 || ::setresgid(kNobody, kNobody, kNobody) < 0 ||
                             ::setresuid(kNobody, kNobody, kNobody) < 0))
        return false;
    return ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

}  // namespace

NameLookup::NameLookup(const NetworkPlan& plan)
    : plan_(plan), names_(names_in(plan).value_or(std::vector<EgressName>{})), own_(own_addresses(plan)) {
    silent_.resize(names_.size());
}

NameLookup::~NameLookup() { end(); }

void NameLookup::ask(const std::vector<EgressName>& names, const std::vector<IpAddress>& own, int answers,
                     pid_t supervisor) {
    constexpr int kAnswers = 3;
    if (!give_up_rights(answers)) ::_exit(1);
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // after the change of user, which clears it. prctl(2)
    if (::getppid() != supervisor) ::_exit(0);
    const auto tell = [](const Answer& answer) {
        if (::write(kAnswers, &answer, sizeof answer) != sizeof answer) ::_exit(0);
    };
    for (std::size_t name = 0; name < names.size(); ++name) {
        bool silence = false;
        for (const auto& from : own) {
            const auto found = look_up(names[name].word.name, from.family);
            silence = silence || !found;
            for (const auto& [address, lives] : found.value_or(std::vector<LookedUp>{}))
                tell({Answer::Kind::address, name, address, lives.count()});
        }
        tell({silence ? Answer::Kind::silence : Answer::Kind::answered, name, {}, 0});
    }
    ::_exit(0);
}

void NameLookup::start() {
    if (names_.empty() || answers_) return;
    const auto now = Clock::now();
    due_ = now + kRetry;
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0) return;  // tried again when due, like what follows
    UniqueFd hear(ends[0]), tell(ends[1]);
    const auto supervisor = ::getpid();
    const auto pid = ::fork();
    if (pid == 0) ask(names_, own_, tell.get(), supervisor);
    if (pid < 0) return;
    auto process = sys::pidfd_open(pid);
    if (!process) {
        ::waitpid(pid, nullptr, 0);  // ends by itself: nobody hears it
        return;
    }
    process_ = std::move(*process);
    answers_ = std::move(hear);
    open_ = names_.size();
    failed_ = false;
    next_ = now + kept(seconds::max());
    due_ = now + kPatience;
}

void NameLookup::note(const Answer& answer) {
    const auto until = Clock::now() + kept(seconds(answer.lives));
    next_ = std::min(next_, until);
    const auto same = std::ranges::find_if(known_, [&answer](const StandsFor& one) {
        return one.name == answer.name && one.address == answer.address;
    });
    if (same != known_.end())
        same->until = until;
    else if (std::ranges::count(known_, answer.name, &StandsFor::name) < kMostAddresses)
        known_.push_back({answer.name, answer.address, until});
}

void NameLookup::close_name(const Answer& answer) {
    if (open_ > 0) --open_;
    const bool silence = answer.kind == Answer::Kind::silence;
    const auto put = let_through(plan_, names_, known_);
    if (silence || !put) failed_ = true;
    if (!put)
        told_.push_back(describe(put.error()));
    else if (silence && !silent_[answer.name])
        told_.push_back(fmt::format(
            "no nameserver answers for {}: nothing can connect to it until one does; see /etc/resolv.conf",
            names_[answer.name].word.name));
    silent_[answer.name] = silence;
}

std::vector<std::string> NameLookup::take() {
    Answer answer;
    ssize_t got = -1;
    for (int count = 0; count < kAtOnce && answers_; ++count) {
        got = ::read(answers_.get(), &answer, sizeof answer);
        if (got != sizeof answer) break;
        // It reads what strangers send: nothing that it says is taken on trust.
        if (answer.name >= names_.size()) continue;
        if (answer.kind != Answer::Kind::address)
            close_name(answer);
        else if (answer.address.family == IpFamily::v4 || answer.address.family == IpFamily::v6)
            note(answer);
    }
    if (got == 0) {
        due_ = failed_ || open_ > 0 ? Clock::now() + kRetry : next_;
        end();
    }
    return std::exchange(told_, {});
}

void NameLookup::do_what_is_due() {
    if (!due_ || Clock::now() < *due_) return;
    if (!answers_) return start();
    end();
    due_ = Clock::now() + kRetry;
}

void NameLookup::end() {
    answers_.reset();
    if (!process_) return;
    static_cast<void>(sys::pidfd_send_signal(process_.get(), SIGKILL));
    siginfo_t info{};
    TEMP_FAILURE_RETRY(
        ::waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(process_.get()), &info, WEXITED));
    process_.reset();
    // What has run out is asked for anew or stands for nothing any more.
    std::erase_if(known_, [](const StandsFor& one) { return one.until < Clock::now(); });
}

}  // namespace guard::launcher
