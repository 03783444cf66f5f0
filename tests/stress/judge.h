/* What tests/stress/program.c knows of its calls, and the threads that take what completes, flush and wait: each is judged by the time that
 * it may take. */
#include "../c/host.h"

#include <poll.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

enum { SUBMITTERS = 4, OWNERS = 24, TARGETS = 12, RECENT = 16, LOOK_MS = 300, BACKLOG = 2000 };
enum { HANG_S = 40, END_MS = 20000, HOLD_MS = 10000 };
/* For flush and sync: how long they take is a matter of the machine, and one that hangs is found as such. */
enum { NO_LIMIT = -1 };
/* What the delays in the locks add to a call, without what the machine adds: longest delay x locks of a call x threads. */
static const double SLACK_S = 3.0;

struct call {
    double begun;
    int accepted, completions, may_time_out;
};

static const char *scenario;
static chatblock_client *client;
static struct call *calls;
static uint64_t capacity, next_tag;
static int has_disk, is_embedded, is_over, submitting, disk_is_held;
static double call_s, worst_stall;
static long progress, accepted, completed, cancelled, reported, violations, flushes;
/* What the main thread and the flushing one wait for. */
static const char *waits_for = "the submitters", *flush_waits = "nothing";

#define ADD(counter, number) __atomic_add_fetch(&(counter), number, __ATOMIC_SEQ_CST)
#define LOAD(value) __atomic_load_n(&(value), __ATOMIC_SEQ_CST)
#define STORE(value, to) __atomic_store_n(&(value), to, __ATOMIC_SEQ_CST)

static int is_scenario(const char *name)
{
    return strcmp(scenario, name) == 0;
}

static void violation(const char *format, ...)
{
    char text[400];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (ADD(violations, 1) <= 20)
        printf("violation: %s\n", text);
}

static uint32_t draw(uint64_t *state, uint32_t below)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return (uint32_t)(*state >> 20) % below;
}

static void rest_us(uint32_t microseconds)
{
    struct timespec time = {0, (long)microseconds * 1000};
    nanosleep(&time, NULL);
}

/* What a thread that only sleeps finds late, the scheduler explains. */
static double allowed(void)
{
    double stall;
    __atomic_load(&worst_stall, &stall, __ATOMIC_SEQ_CST);
    return call_s + SLACK_S + 4 * stall;
}

static void *watch_the_machine(void *unused)
{
    double moved = seconds();
    long before = -1;
    while (!LOAD(is_over)) {
        double begin = seconds();
        sleep_ms(5);
        double end = seconds(), stall = end - begin - 0.005;
        if (stall > worst_stall)
            __atomic_store(&worst_stall, &stall, __ATOMIC_SEQ_CST);
        long now = LOAD(progress);
        if (now != before || stall > 1)
            moved = end;
        before = now;
        if (end - moved > HANG_S) {
            printf("violation: nothing moves: accepted %ld, completed %ld; main waits for %s, flush for %s\n",
                   LOAD(accepted), LOAD(completed), LOAD(waits_for), LOAD(flush_waits));
            fflush(stdout);
            _exit(4);
        }
    }
    return unused;
}

/* Reads and frees a result of a call that began at `begun`. */
static void judge(chatblock_result *result, const char *what, double begun, int may_time_out)
{
    chatblock_status status = chatblock_result_status(result);
    double late = seconds() - begun;
    if (status != CHATBLOCK_OK && !(may_time_out && status < 0))
        violation("%s ended with %s: %s", what, chatblock_status_name(status), chatblock_result_message(result));
    if (late > allowed())
        violation("%s took %.3f s of %.3f s", what, late, allowed());
    chatblock_result_free(result);
    ADD(progress, 1);
}

static void complete(chatblock_result *result)
{
    uint64_t tag = chatblock_result_tag(result);
    if (tag >= LOAD(next_tag)) {
        violation("a completion with tag %llu, which no call has", (unsigned long long)tag);
        chatblock_result_free(result);
        return;
    }
    struct call *call = &calls[tag];
    if (ADD(call->completions, 1) != 1)
        violation("call %llu completed twice", (unsigned long long)tag);
    ADD(completed, 1);
    if (chatblock_result_status(result) == CHATBLOCK_ERR_CANCELLED) {
        ADD(reported, 1);
        ADD(progress, 1);
        chatblock_result_free(result);
        return;
    }
    judge(result, chatblock_result_command(result), call->begun, call->may_time_out);
}

static void *poll_until_over(void *unused)
{
    for (;;) {
        chatblock_result *result = chatblock_client_poll(client, -1);
        if (result != NULL)
            complete(result);
        else if (LOAD(is_over))
            return unused;
    }
}

static long completions_waiting(void)
{
    static const char key[] = "\"completions\":";
    chatblock_result *stats = chatblock_client_stats(client);
    const char *found = strstr(chatblock_result_json(stats), key);
    long count = found == NULL ? -1 : strtol(found + sizeof key - 1, NULL, 10);
    chatblock_result_free(stats);
    return count;
}

/* Takes completions after an edge only, until NULL, as an event loop does. What waited when a NULL came was a
 * wake-up: a completion that is there later came after it and made an edge. */
static void *wait_for_edges(void *unused)
{
    struct epoll_event event = {.events = EPOLLIN | EPOLLET};
    int loop = epoll_create1(EPOLL_CLOEXEC);
    CHECK(epoll_ctl(loop, EPOLL_CTL_ADD, chatblock_client_event_fd(client), &event) == 0);
    while (!LOAD(is_over)) {
        if (epoll_wait(loop, &event, 1, LOOK_MS) == 0) {
            long waiting = completions_waiting();
            if (waiting <= 0 || epoll_wait(loop, &event, 1, 0) != 0 || LOAD(is_over))
                ; /* nothing, or its edge came meanwhile: drained below */
            else
                violation("%ld completions wait without an edge", waiting);
        }
        for (chatblock_result *result; (result = chatblock_client_poll(client, 0)) != NULL;)
            complete(result);
    }
    close(loop);
    return unused;
}

static void *wake_often(void *seed)
{
    uint64_t state = (uint64_t)(size_t)seed;
    while (!LOAD(is_over)) {
        for (uint32_t left = 1 + draw(&state, 3); left > 0; left--)
            CHECK_NUMBER(chatblock_client_wakeup(client), CHATBLOCK_OK);
        rest_us(draw(&state, 4000));
    }
    return NULL;
}

static void flush_once(void)
{
    STORE(flush_waits, "flush");
    chatblock_status status = chatblock_client_flush(client, NO_LIMIT);
    STORE(flush_waits, "nothing");
    if (status != CHATBLOCK_OK)
        violation("flush gave %s", chatblock_status_name(status));
    ADD(flushes, 1);
    ADD(progress, 1);
}

static void sync_once(int timeout_ms)
{
    STORE(flush_waits, "sync");
    chatblock_status status = chatblock_client_sync(client, timeout_ms);
    STORE(flush_waits, "nothing");
    chatblock_status want = has_disk ? CHATBLOCK_OK : CHATBLOCK_ERR_UNSUPPORTED;
    if (status != want && !(has_disk && timeout_ms == 0 && status == CHATBLOCK_ERR_TIMEOUT))
        violation("sync gave %s", chatblock_status_name(status));
    ADD(progress, 1);
}

static void *flush_and_sync(void *seed)
{
    uint64_t state = (uint64_t)(size_t)seed;
    while (LOAD(submitting) > 0) {
        if (draw(&state, 3) == 0)
            sync_once(draw(&state, 2) == 0 ? NO_LIMIT : 0);
        else
            flush_once();
        rest_us(draw(&state, 2000));
    }
    return NULL;
}

/* The library's own, in place of that of libc: a commit ends when it may. */
int fdatasync(int file)
{
    for (int round = 0; LOAD(disk_is_held); round++) {
        if (round == HOLD_MS) {
            violation("a call waits behind one that waits for the disk");
            STORE(disk_is_held, 0);
        }
        sleep_ms(1);
    }
    return (int)syscall(SYS_fdatasync, file);
}
