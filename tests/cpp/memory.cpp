// Memory of the host: none is taken on the hot path, when it runs out nothing is left behind, and no secret
// stays in it.
#include "check.hpp"

#include <malloc.h>

#include <array>
#include <cstdlib>
#include <new>
#include <string>
#include <string_view>
#include <vector>

using chatblock::blocked;
using chatblock::client;

// Not inlined, because a compiler that sees only one of a pair takes it for a mistake.
#define APART __attribute__((noinline))

/// Allocations by C++ so far, and which one fails.
static long allocations, failing = -1;
/// How often memory with the secret key in it was given back.
static int keys_given_back;

APART void *operator new(std::size_t size)
{
    if (allocations++ == failing)
        throw std::bad_alloc();
    if (void *const memory = std::malloc(size))
        return memory;
    throw std::bad_alloc();
}
APART void *operator new[](std::size_t size) { return operator new(size); }
APART void operator delete(void *memory) noexcept
{
    const std::string_view bytes(static_cast<const char *>(memory), malloc_usable_size(memory));
    keys_given_back += bytes.find(TEST_KEY) != bytes.npos;
    std::free(memory);
}
APART void operator delete(void *memory, std::size_t) noexcept { operator delete(memory); }
APART void operator delete[](void *memory) noexcept { operator delete(memory); }
APART void operator delete[](void *memory, std::size_t) noexcept { operator delete(memory); }

/// Names that fit into no small string.
static std::vector<std::string> names(int count)
{
    std::vector<std::string> made;
    for (int i = 0; i < count; i++)
        made.push_back(std::to_string(100 + i) + std::string(29, 'x'));
    return made;
}

static void asking_needs_no_heap(const client &client)
{
    const auto owners = names(64), more = names(65);
    std::array<blocked, 64> answers{};
    const long before = allocations;
    const auto one = client.is_blocked(owners[0], owners[1]);
    const auto refused = client.is_blocked(owners[0] + "", std::string_view("", 0));
    const long after_one = allocations;
    const auto many = client.is_blocked_many(owners, owners[1], answers);
    const long after_many = allocations;
    const chatblock::accounts spilled(more);
    CHECK(one == blocked::no);
    CHECK_STATUS(refused.status(), argument);
    CHECK(many == 0U);
    CHECK_NUMBER(after_one - before, 1); /* the sum of two strings, which shows that they are counted */
    CHECK_NUMBER(after_many - after_one, 0);
    CHECK(allocations > after_many && spilled.size() == 65);
}

/// Each allocation of a call fails once: an exception, and no lambda that waits for ever.
static void memory_that_runs_out_leaves_nothing_behind(const client &client)
{
    chatblock::completions loop(client);
    const auto targets = names(70);
    int failed = 0, ran = 0;
    for (bool accepted = false; !accepted;) {
        failing = allocations + failed;
        try {
            accepted = static_cast<bool>(loop.add(targets[0], targets, [&ran](const chatblock::result &) { ran++; }));
            failing = -1;
            CHECK(accepted);
        } catch (const std::bad_alloc &) {
            failing = -1;
            failed++;
            CHECK_NUMBER(loop.pending(), 0);
        }
        CHECK(failed < 100);
    }
    CHECK(failed >= 4); /* ids beyond 64, the lambda, its place, and the copy of the owner */
    CHECK(loop.run_once(chatblock::forever));
    CHECK(!loop.run_once(std::chrono::milliseconds(0)));
    CHECK_NUMBER(ran, 1);
}

static void copies_of_secrets_are_wiped()
{
    {
        const client opened = open_client(R"({"backend":"embedded","sdkappid":1,"secret_key":")" TEST_KEY "\"}");
        const auto made = chatblock::usersig_generate(1, TEST_KEY, "ann", std::chrono::seconds(60));
        CHECK_STATUS(made.status(), ok);
        CHECK_STATUS(chatblock::usersig_verify(1, TEST_KEY, "ann", made.usersig()).status(), ok);
    }
    CHECK_NUMBER(keys_given_back, 0);
    {
        const std::string kept(TEST_KEY);
    }
    CHECK_NUMBER(keys_given_back, 1); /* so it would have been seen */
}

int main()
{
    const client client = open_client();
    asking_needs_no_heap(client);
    memory_that_runs_out_leaves_nothing_behind(client);
    copies_of_secrets_are_wiped();
    return check_report();
}
