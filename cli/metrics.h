#pragma once
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/unique_fd.h"

namespace guard::cli {

/// Answers GET /metrics, one request a connection, on a unix socket or a loopback port: nobody outside this
/// machine is to learn what is open here.
class MetricsServer {
public:
    /// `where`: "unix:/run/guard-metrics.sock" or "127.0.0.1:9100" or "[::1]:9100". Fails where it is
    /// anything else, or is taken.
    [[nodiscard]] static Result<MetricsServer> open(const std::string& where);
    MetricsServer(MetricsServer&&) = default;
    MetricsServer& operator=(MetricsServer&&) = default;
    ~MetricsServer();

    /// Readable (poll(2)) when somebody asks.
    [[nodiscard]] int descriptor() const { return socket_.get(); }
    /// Answers who asks now; one who is slow to ask is let go after 200 ms.
    void serve(std::string_view metrics) const;

private:
    MetricsServer(UniqueFd socket, std::string path) : socket_(std::move(socket)), path_(std::move(path)) {}
    UniqueFd socket_;
    std::string path_;  ///< of a unix socket; removed at the end
};

}  // namespace guard::cli
