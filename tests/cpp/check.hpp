// What the programs of this directory share: the checks of tests/c for the types of chatblock.hpp.
#ifndef CHECK_HPP
#define CHECK_HPP

#include "check.h"

#include <cstdlib>
#include <string>
#include <string_view>

#include "chatblock.hpp"

#define TEST_KEY "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

// Takes what turns into a bool only explicitly, too.
#undef CHECK
#define CHECK(...) check_that(static_cast<bool>(__VA_ARGS__), #__VA_ARGS__, "", __FILE__, __LINE__)

#define CHECK_NEVER(what) check_that(0, "never: " what, "", __FILE__, __LINE__)
#define CHECK_STATUS(got, want) check_status((got), chatblock::status::want, #got " is " #want, __FILE__, __LINE__)
#define CHECK_VIEW(got, want) check_view((got), (want), #got " is " #want, __FILE__, __LINE__)
#define CHECK_PART(got, part) check_part((got), (part), #got " has " #part, __FILE__, __LINE__)

inline void check_status(chatblock::status got, chatblock::status want, const char *what, const char *file, int line)
{
    check_that(got == want, what, chatblock::name(got).data(), file, line);
}

inline void check_view(std::string_view got, std::string_view want, const char *what, const char *file, int line)
{
    check_that(got == want, what, std::string(got).c_str(), file, line);
}

inline void check_part(std::string_view got, std::string_view part, const char *what, const char *file, int line)
{
    check_that(got.find(part) != got.npos, what, std::string(got).c_str(), file, line);
}

inline chatblock::client open_client(std::string_view config = "{}")
{
    auto opened = chatblock::client::open(config);
    if (!opened) {
        std::printf("cannot open %s: %s\n", std::string(config).c_str(), opened.error().message().data());
        std::exit(2);
    }
    return *std::move(opened);
}

#endif
