// What both sides of a comparison share: how work is repeated and what it is charged.
//
// A side is charged the CPU time of its whole process, all threads of its libraries included, between
// two moments at which every caller stands still. Connections, handshakes and caches are warm by then.
#pragma once

#include <sys/resource.h>
#include <time.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace bench {

[[noreturn]] inline void fail(const std::string &what) {
    std::fprintf(stderr, "%s\n", what.c_str());
    std::exit(1);
}

inline void require(bool holds, const std::string &what) {
    if (!holds) fail(what);
}

/// User and system time of this process so far, in microseconds.
inline double cpu_us() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto us = [](const timeval &time) { return time.tv_sec * 1e6 + time.tv_usec; };
    return us(usage.ru_utime) + us(usage.ru_stime);
}

inline double wall_us() {
    using namespace std::chrono;
    return duration<double, std::micro>(steady_clock::now().time_since_epoch()).count();
}

/// Time that the calling thread was on a processor, in microseconds: who else runs on the machine does not count.
/// Costs a system call.
inline double thread_cpu_us() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return now.tv_sec * 1e6 + now.tv_nsec / 1e3;
}

struct Moment {
    double cpu = cpu_us();
    double wall = wall_us();
};

/// Where callers wait for each other; the last to arrive looks at the clocks.
class Gate {
public:
    explicit Gate(int callers) : missing_(callers) {}

    void pass() {
        std::unique_lock<std::mutex> lock(mutex_);
        if (--missing_ == 0) {
            passed_ = Moment{};
            open_.notify_all();
        } else {
            open_.wait(lock, [this] { return missing_ == 0; });
        }
    }

    const Moment &passed() const { return passed_; }

private:
    std::mutex mutex_;
    std::condition_variable open_;
    int missing_;
    Moment passed_;
};

/// Repeats a call on `callers` threads and prints what one call costs. `make_call(i)` gives the i-th
/// thread what it calls.
template <class MakeCall>
void run(int callers, int calls_each, MakeCall make_call) {
    Gate warm(callers), done(callers);
    std::vector<std::thread> threads;
    for (int index = 0; index < callers; ++index) {
        threads.emplace_back([&, index] {
            auto call = make_call(index);
            for (int i = 0; i < calls_each / 10 + 3; ++i) call();
            warm.pass();
            for (int i = 0; i < calls_each; ++i) call();
            done.pass();
        });
    }
    for (auto &thread : threads) thread.join();
    const double calls = static_cast<double>(callers) * calls_each;
    const auto &from = warm.passed(), &to = done.passed();
    std::printf("{\"cpu_us\": %.4f, \"wall_us\": %.4f}\n", (to.cpu - from.cpu) / calls, (to.wall - from.wall) / calls);
}

/// An identifier of 15 bytes, as players have them; `prefix` has four.
inline std::string account(const char *prefix, unsigned long number) {
    char text[32];
    std::snprintf(text, sizeof text, "%s_%010lu", prefix, number);
    return text;
}

inline std::vector<std::string> accounts(const char *prefix, int count) {
    std::vector<std::string> accounts;
    for (int index = 0; index < count; ++index) accounts.push_back(account(prefix, index));
    return accounts;
}

}  // namespace bench
