/* Counted checks: a failed one is printed with its place and the program ends with 1. */
#ifndef CHECK_H
#define CHECK_H

#include <stdio.h>
#include <string.h>

#include "chatblock.h"

static int check_passed, check_failed;

static void check_that(int holds, const char *what, const char *got, const char *file, int line)
{
    if (holds) {
        check_passed++;
        return;
    }
    check_failed++;
    printf("%s:%d: failed: %s%s%s\n", file, line, what, *got ? ", got: " : "", got);
}

#define CHECK(condition) check_that((condition) != 0, #condition, "", __FILE__, __LINE__)

#define CHECK_NUMBER(got, want)                                                                    \
    do {                                                                                           \
        long long number_ = (long long)(got);                                                      \
        char text_[32];                                                                            \
        snprintf(text_, sizeof text_, "%lld", number_);                                            \
        check_that(number_ == (long long)(want), #got " == " #want, text_, __FILE__, __LINE__);    \
    } while (0)

#define CHECK_TEXT(got, want)                                                                      \
    do {                                                                                           \
        const char *text_ = (got);                                                                 \
        check_that(strcmp(text_, (want)) == 0, #got " is " #want, text_, __FILE__, __LINE__);      \
    } while (0)

#define CHECK_HAS(got, part)                                                                       \
    do {                                                                                           \
        const char *text_ = (got);                                                                 \
        check_that(strstr(text_, (part)) != NULL, #got " has " #part, text_, __FILE__, __LINE__);  \
    } while (0)

/* Ends main(). */
static int check_report(void)
{
    printf("%d passed, %d failed\n", check_passed, check_failed);
    return check_failed != 0;
}

#endif
