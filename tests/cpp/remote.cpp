// The remote backend against `chatblock serve`, whose program is the argument: the hot path learns, and a
// write of an earlier client is heard of.
#include "check.hpp"

#include <csignal>
#include <cstdio>
#include <fstream>
#include <string>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <vector>

using namespace std::chrono_literals;
using chatblock::blocked;
using chatblock::client;

static const std::string app = R"("sdkappid":1400000001,"secret_key":")" TEST_KEY "\"";

/// Ends with the object.
class server {
public:
    explicit server(const char *program)
    {
        std::ofstream("serve.json") << R"({"backend":"embedded",)" << app << "}";
        int ends[2];
        if (pipe(ends) != 0)
            std::exit(2);
        process_ = fork();
        if (process_ == 0) {
            dup2(ends[1], STDOUT_FILENO);
            execl(program, program, "serve", "--config", "serve.json", static_cast<char *>(nullptr));
            _exit(127);
        }
        close(ends[1]);
        std::FILE *const output = fdopen(ends[0], "r");
        char url[200] = "";
        if (std::fscanf(output, "listening on %199s", url) != 1)
            std::exit(2);
        std::fclose(output);
        url_ = url;
    }
    server(const server &) = delete;
    server &operator=(const server &) = delete;
    ~server()
    {
        kill(process_, SIGTERM);
        waitpid(process_, nullptr, 0);
    }
    const std::string &url() const { return url_; }

private:
    pid_t process_;
    std::string url_;
};

static client open_remote(const std::string &url, const std::string &more = "")
{
    return open_client("{" + app + R"(,"base_url":")" + url + "\"" + more + "}");
}

/// The answer once there is one, or unknown after ten seconds.
static blocked learned(const client &client, std::string_view owner, std::string_view peer)
{
    for (int round = 0; round < 1000; round++) {
        const auto answer = client.is_blocked(owner, peer);
        if (answer != blocked::unknown)
            return *answer;
        std::this_thread::sleep_for(10ms);
    }
    return blocked::unknown;
}

static void an_owner_is_known_once_watched(const server &server)
{
    const client first = open_remote(server.url()), second = open_remote(server.url());
    CHECK_STATUS(first.add("ann", {"bob"}).status(), ok);
    CHECK(second.is_blocked("ann", "bob") == blocked::unknown);
    std::vector<chatblock::blocked_pair> pairs;
    CHECK(second.blocked_pairs({"ann", "bob"}, pairs) == 2U);
    CHECK_STATUS(second.watch({"ann"}).status(), ok);
    CHECK(learned(second, "ann", "bob") == blocked::yes);
    CHECK(second.is_blocked("ann", "cat") == blocked::no);
    CHECK(second.blocked_pairs({"ann", "bob"}, pairs) == 1U);
    CHECK(pairs.size() == 1 && pairs[0].owner == 0 && pairs[0].peer == 1);
    CHECK_STATUS(second.unwatch({"ann"}).status(), ok);
}

static void a_webhook_without_a_token_is_refused_with_an_answer(const server &server)
{
    const client client = open_remote(server.url());
    bool thrown = false;
    try {
        CHECK(!client.apply_webhook("SdkAppid=1400000001", "{}").or_throw());
    } catch (const chatblock::error &error) {
        thrown = true;
        CHECK_PART(error.answer().json(), "\"ActionStatus\":\"FAIL\"");
    }
    CHECK(thrown);
}

/// Nobody may block himself; the first client ends before the service could say so.
static void a_refused_write_of_an_earlier_client_is_heard_of(const server &server)
{
    const std::string outbox = R"(,"outbox":{"path":"outbox.db"})";
    {
        client earlier = open_remote("http://127.0.0.1:1", outbox);
        chatblock::completions loop(earlier);
        CHECK(loop.add("eve", {"eve"}, [](const chatblock::result &) { CHECK_NEVER("it is answered"); }));
        CHECK_STATUS(earlier.sync(20s).status(), ok);
        CHECK_STATUS(earlier.close(20s).status(), ok);
    }
    const client later = open_remote(server.url(), outbox);
    int heard = 0;
    chatblock::completions loop(later, [&heard](const chatblock::result &done) {
        heard++;
        CHECK_NUMBER(done.tag(), 0);
        CHECK_STATUS(done.status(), service);
        CHECK_VIEW(done.owner(), "eve");
        CHECK_VIEW(done.items()[0].account, "eve");
        CHECK_NUMBER(done.service_code(), 30001);
    });
    CHECK(loop.run_once(20s));
    CHECK_NUMBER(heard, 1);
}

int main(int count, char **arguments)
{
    if (count != 2) {
        std::printf("usage: remote CHATBLOCK\n");
        return 2;
    }
    const server server(arguments[1]);
    an_owner_is_known_once_watched(server);
    a_webhook_without_a_token_is_refused_with_an_answer(server);
    a_refused_write_of_an_earlier_client_is_heard_of(server);
    return check_report();
}
