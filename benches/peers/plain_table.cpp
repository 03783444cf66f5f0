// P11: what a team writes on SQLite itself. One table with a row for each pair, WAL, every commit synced; callers that add
// share a commit, and each thread that reads has a connection of its own. No limits, no sequence, no codes.
// Arguments: adds DATABASE CALLERS EACH ROWS, checks DATABASE PAIRS COUNT, or gets DATABASE ROWS COUNT.

#include <sqlite3.h>

#include <cstring>
#include <ctime>
#include <memory>
#include <utility>

#include "../population.hpp"

using namespace bench;

namespace {

class Statement;

class Connection {
public:
    explicit Connection(const std::string &path) {
        require(sqlite3_open(path.c_str(), &handle_) == SQLITE_OK, "the database cannot be opened");
        execute("PRAGMA journal_mode = WAL");
        execute("PRAGMA synchronous = FULL");
    }
    Connection(const Connection &) = delete;
    ~Connection() { sqlite3_close_v2(handle_); }

    void execute(const char *sql) {
        require(sqlite3_exec(handle_, sql, nullptr, nullptr, nullptr) == SQLITE_OK, sqlite3_errmsg(handle_));
    }
    sqlite3 *handle() const { return handle_; }

private:
    sqlite3 *handle_ = nullptr;
};

class Statement {
public:
    Statement(const Connection &connection, const char *sql) {
        require(sqlite3_prepare_v3(connection.handle(), sql, -1, SQLITE_PREPARE_PERSISTENT, &handle_, nullptr) == SQLITE_OK,
                sqlite3_errmsg(connection.handle()));
    }
    Statement(const Statement &) = delete;
    ~Statement() { sqlite3_finalize(handle_); }

    Statement &bind(int at, const std::string &text) {
        sqlite3_bind_text(handle_, at, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
        return *this;
    }
    Statement &bind(int at, sqlite3_int64 number) {
        sqlite3_bind_int64(handle_, at, number);
        return *this;
    }
    bool step() {
        const int outcome = sqlite3_step(handle_);
        require(outcome == SQLITE_ROW || outcome == SQLITE_DONE, sqlite3_errmsg(sqlite3_db_handle(handle_)));
        return outcome == SQLITE_ROW;
    }
    void run() {
        step();
        sqlite3_reset(handle_);
    }
    void reset() { sqlite3_reset(handle_); }
    std::string text(int column) {
        const auto *bytes = reinterpret_cast<const char *>(sqlite3_column_text(handle_, column));
        return {bytes, static_cast<std::size_t>(sqlite3_column_bytes(handle_, column))};
    }
    sqlite3_int64 number(int column) { return sqlite3_column_int64(handle_, column); }

private:
    sqlite3_stmt *handle_ = nullptr;
};

void create_table(Connection &connection) {
    connection.execute("CREATE TABLE pairs (owner TEXT NOT NULL, target TEXT NOT NULL, time INTEGER NOT NULL, "
                       "PRIMARY KEY (owner, target)) STRICT, WITHOUT ROWID");
}

/// Adds pairs; what comes while a commit is under way shares the next one.
class Writer {
public:
    explicit Writer(const std::string &path)
        : connection_(path),
          begin_((create_table(connection_), connection_), "BEGIN IMMEDIATE"),
          commit_(connection_, "COMMIT"),
          insert_(connection_, "INSERT INTO pairs VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING") {}

    bool add(const std::string &owner, const std::string &target) {
        Ticket ticket{owner, target};
        std::unique_lock<std::mutex> lock(mutex_);
        waiting_.push_back(&ticket);
        if (is_led_) ticket.turn.wait(lock, [&] { return ticket.is_done || ticket.leads; });
        if (ticket.is_done) return ticket.is_new;
        is_led_ = true;
        const std::vector<Ticket *> group = std::exchange(waiting_, {});
        lock.unlock();
        write(group);
        lock.lock();
        for (Ticket *done : group) {
            done->is_done = true;
            if (done != &ticket) done->turn.notify_one();
        }
        is_led_ = !waiting_.empty();
        if (is_led_) {
            waiting_.front()->leads = true;
            waiting_.front()->turn.notify_one();
        }
        return ticket.is_new;
    }

    void fill(const std::string &owner, const std::vector<std::string> &targets) {
        begin_.run();
        for (const auto &target : targets) insert_.bind(1, owner).bind(2, target).bind(3, time_++).run();
        commit_.run();
    }

private:
    struct Ticket {
        const std::string &owner, &target;
        bool is_done = false, leads = false, is_new = false;
        std::condition_variable turn = {};
    };

    void write(const std::vector<Ticket *> &group) {
        begin_.run();
        const auto now = static_cast<sqlite3_int64>(std::time(nullptr));
        for (Ticket *ticket : group) {
            insert_.bind(1, ticket->owner).bind(2, ticket->target).bind(3, now).run();
            ticket->is_new = sqlite3_changes(connection_.handle()) > 0;
        }
        commit_.run();
    }

    Connection connection_;
    Statement begin_, commit_, insert_;
    std::mutex mutex_;
    std::vector<Ticket *> waiting_;
    bool is_led_ = false;
    sqlite3_int64 time_ = 1;
};

void adds(const std::string &path, int callers, int each, int rows) {
    Writer writer(path);
    const auto owners = accounts("owne", callers);
    const auto targets = accounts("play", 1000);
    for (const auto &owner : owners) writer.fill(owner, {targets.begin(), targets.begin() + rows});
    run(callers, each, [&](int caller) {
        return [&, caller, next = static_cast<std::size_t>(rows)]() mutable {
            require(writer.add(owners[caller], targets.at(next++)), "it was there");
        };
    });
}

void checks(const std::string &path, unsigned long pairs, std::size_t count) {
    Writer writer(path);
    populate(pairs, [&](const auto &owner, const auto &list) { writer.fill(owner, list); });
    Connection connection(path);
    Statement find(connection, "SELECT 1 FROM pairs WHERE owner = ?1 AND target = ?2");
    const auto ask = [&](const Question &question) {
        const bool is_blocked = find.bind(1, question.owner).bind(2, question.peer).step();
        find.reset();
        return is_blocked;
    };
    ns_per_question(questions(pairs, count / 10, 1), ask);
    std::printf("{\"cpu_us\": %.4f}\n", ns_per_question(questions(pairs, count, 2), ask) / 1e3);
}

void gets(const std::string &path, int rows, int count) {
    Writer writer(path);
    const auto owners = accounts("owne", 100);
    for (const auto &owner : owners) writer.fill(owner, accounts("play", rows));
    Connection connection(path);
    Statement list(connection, "SELECT target, time FROM pairs WHERE owner = ?1 ORDER BY time LIMIT ?2 OFFSET ?3");
    run(1, count, [&](int) {
        return [&, at = std::size_t{0}]() mutable {
            std::vector<std::pair<std::string, sqlite3_int64>> page;
            list.bind(1, owners[at++ % owners.size()]).bind(2, 100).bind(3, 0);
            while (list.step()) page.emplace_back(list.text(0), list.number(1));
            list.reset();
            require(page.size() == std::min<std::size_t>(rows, 100), "a page is not whole");
        };
    });
}

}  // namespace

int main(int count, char **arguments) {
    require(count >= 5, "usage: WHAT DATABASE NUMBER NUMBER [ROWS]");
    const auto number = [&](int at) { return std::atoi(arguments[at]); };
    const std::string path = arguments[2];
    if (std::strcmp(arguments[1], "adds") == 0) {
        adds(path, number(3), number(4), count > 5 ? number(5) : 0);
    } else if (std::strcmp(arguments[1], "checks") == 0) {
        checks(path, number(3), number(4));
    } else if (std::strcmp(arguments[1], "gets") == 0) {
        gets(path, number(3), number(4));
    } else {
        fail("adds, checks or gets");
    }
}
