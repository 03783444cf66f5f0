/* Threads that use one client in every way at once. Whatever the threads inside do and however long a lock takes:
 * every accepted call completes exactly once, no call is later than its time and what the machine explains, flush,
 * sync and close end, and an event loop that waits for edges hears of every completion.
 *
 *   program SCENARIO CONFIG CALLS SEED CALL_MS
 *
 * crowd      writes, reads, cancels, flush, sync, stats, blocking calls; one thread polls
 * edge       the same; the thread that polls waits for edges of the event descriptor, others wake it
 * cancel     bursts of calls of which many are cancelled before they are recorded, and rests
 * quiet      the same from one thread, which waits until all have completed: nothing comes after a burst that could
 *            set going what was left
 * flush      writes as fast as they are done, and flush all the time
 * pairs      the first call of each pair is held on the network, or at the disk, until the second is done
 * deadlines  the service never answers some owners
 *
 * Bounded by CALLS; a program in which nothing moves any more says what it waits for and ends. */
#include "judge.h"

/* Owners that all threads share, and some that only a few calls are about: nothing comes after those calls. */
static void choose_owner(char owner[32], uint64_t *state)
{
    int is_rare = draw(state, 2) == 0;
    snprintf(owner, 32, is_rare ? "r%u" : "o%u", draw(state, is_rare ? 1000000 : OWNERS));
}

/* What a submitter needs for one call. */
struct plan {
    uint64_t *state;
    char owner[32];
    char targets[2][16];
    const char *names[2];
    size_t count;
};

static void plan_call(struct plan *plan, uint64_t *state)
{
    plan->state = state;
    plan->count = 1 + draw(state, 2);
    for (int i = 0; i < 2; i++) {
        snprintf(plan->targets[i], sizeof plan->targets[i], "t%u", 2 * draw(state, TARGETS) + (unsigned)i);
        plan->names[i] = plan->targets[i];
    }
}

/* A tag for a call; `capacity` when there is none left. */
static uint64_t take_tag(void)
{
    uint64_t tag = __atomic_load_n(&next_tag, __ATOMIC_SEQ_CST);
    while (tag < capacity && !__atomic_compare_exchange_n(&next_tag, &tag, tag + 1, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
        ;
    return tag;
}

static void note_accepted(uint64_t tag, chatblock_status status)
{
    if (status != CHATBLOCK_OK) {
        violation("a call was refused with %s", chatblock_status_name(status));
        return;
    }
    STORE(calls[tag].accepted, 1);
    ADD(accepted, 1);
    ADD(progress, 1);
}

/* Submits the next call; 0 when there were enough. `kind` 0..5 add, 6..7 delete, 8..9 check, 10 get. */
static int submit(struct plan *plan, uint32_t kind)
{
    char get[100];
    chatblock_status status;
    uint64_t tag = take_tag();
    if (tag >= capacity)
        return 0;
    calls[tag].begun = seconds();
    calls[tag].may_time_out = strncmp(plan->owner, "deaf", 4) == 0;
    if (kind < 6) {
        status = chatblock_blocklist_add_async(client, plan->owner, plan->names, plan->count, tag, NULL);
    } else if (kind < 8) {
        status = chatblock_blocklist_delete_async(client, plan->owner, plan->names, plan->count, tag, NULL);
    } else if (kind < 10) {
        status = chatblock_blocklist_check_async(client, plan->owner, plan->names, plan->count,
                                                 CHATBLOCK_CHECK_SINGLE, tag, NULL);
    } else {
        snprintf(get, sizeof get, "{\"From_Account\":\"%s\",\"StartIndex\":0,\"MaxLimited\":9,\"LastSequence\":0}",
                 plan->owner);
        status = chatblock_client_submit(client, "black_list_get", get, tag, NULL);
    }
    note_accepted(tag, status);
    return 1;
}

static void cancel_recent(uint64_t *state, uint32_t recent)
{
    uint64_t last = LOAD(next_tag), back = 1 + draw(state, recent);
    if (back > last)
        return;
    int32_t count = chatblock_client_cancel(client, last - back);
    if (count < 0 || count > 1)
        violation("cancel gave %d", (int)count);
    else
        ADD(cancelled, count);
    ADD(progress, 1);
}

static void call_and_wait(struct plan *plan)
{
    double begun = seconds();
    int may_time_out = strncmp(plan->owner, "deaf", 4) == 0;
    chatblock_result *result = draw(plan->state, 2) == 0
                                   ? chatblock_blocklist_add(client, plan->owner, plan->names, plan->count)
                                   : chatblock_blocklist_get(client, plan->owner, 0, 9);
    judge(result, "a blocking call", begun, may_time_out);
}

static int act_in_the_crowd(struct plan *plan, uint64_t *state)
{
    if (draw(state, 4) == 0)
        choose_owner(plan->owner, state);
    plan_call(plan, state);
    uint32_t kind = draw(state, 20);
    if (kind <= 10)
        return submit(plan, kind);
    if (kind <= 14)
        cancel_recent(state, RECENT);
    else if (kind == 15)
        call_and_wait(plan);
    else if (kind == 16)
        CHECK(chatblock_client_flush(client, 0) != CHATBLOCK_ERR_PANIC);
    else if (kind == 17)
        CHECK_NUMBER(take(chatblock_client_stats(client)), CHATBLOCK_OK);
    else
        rest_us(draw(state, draw(state, 8) == 0 ? 8000 : 500));
    return 1;
}

/* A few calls of one owner, of which some are cancelled at once. */
static int burst_and_cancel(struct plan *plan, uint64_t *state)
{
    choose_owner(plan->owner, state);
    for (uint32_t left = 1 + draw(state, 4); left > 0; left--) {
        plan_call(plan, state);
        if (!submit(plan, draw(state, 11)))
            return 0;
        if (draw(state, 2) == 0)
            cancel_recent(state, 3);
    }
    return 1;
}

/* With a rest, in which all may come to rest. */
static int burst_and_rest(struct plan *plan, uint64_t *state)
{
    int is_more = burst_and_cancel(plan, state);
    rest_us(draw(state, draw(state, 2) == 0 ? 12000 : 1000));
    return is_more;
}

static int burst_and_wait(struct plan *plan, uint64_t *state)
{
    int is_more = burst_and_cancel(plan, state);
    double begun = seconds();
    while (LOAD(completed) < LOAD(accepted) && seconds() - begun < allowed())
        rest_us(100);
    return is_more && LOAD(completed) == LOAD(accepted);
}

static int call_the_deaf(struct plan *plan, uint64_t *state)
{
    plan_call(plan, state);
    choose_owner(plan->owner, state);
    if (draw(state, 10) == 0)
        snprintf(plan->owner, sizeof plan->owner, "deaf%u", draw(state, 1000000));
    rest_us(draw(state, 20000));
    if (draw(state, 3) > 0)
        return submit(plan, draw(state, 11));
    call_and_wait(plan);
    return LOAD(next_tag) < capacity;
}

/* There is always something under way: a flush that waits for a moment in which there is nothing ends with the run. */
static int write_fast(struct plan *plan, uint64_t *state)
{
    while (LOAD(accepted) - LOAD(completed) > BACKLOG)
        rest_us(50);
    choose_owner(plan->owner, state);
    plan_call(plan, state);
    return submit(plan, 0);
}

static void *submit_all(void *seed)
{
    uint64_t state = (uint64_t)(size_t)seed;
    struct plan plan = {.owner = "first"};
    int (*act)(struct plan *, uint64_t *) = is_scenario("cancel")      ? burst_and_rest
                                            : is_scenario("quiet")     ? burst_and_wait
                                            : is_scenario("deadlines") ? call_the_deaf
                                            : is_scenario("flush")     ? write_fast
                                                                       : act_in_the_crowd;
    while (act(&plan, &state))
        ;
    ADD(submitting, -1);
    return NULL;
}

/* Two calls, soon after each other, and nothing else: the first keeps its thread on the network or at the disk, and
 * the second has to find another one. Which of the moments in between is a bad one, nobody knows. */
static void *submit_pairs(void *seed)
{
    uint64_t state = (uint64_t)(size_t)seed;
    struct plan plan;
    for (uint64_t pair = 0; 2 * pair + 2 <= capacity; pair++) {
        plan_call(&plan, &state);
        snprintf(plan.owner, sizeof plan.owner, "hold%llu", (unsigned long long)pair);
        STORE(disk_is_held, is_embedded);
        submit(&plan, 0);
        for (double until = seconds() + draw(&state, 500) * 1e-6; seconds() < until;)
            ;
        snprintf(plan.owner, sizeof plan.owner, "free%llu", (unsigned long long)pair);
        submit(&plan, 8);
        while (LOAD(completed) < (long)(2 * pair + 1))
            rest_us(50);
        STORE(disk_is_held, 0);
        while (LOAD(completed) < (long)(2 * pair + 2))
            rest_us(50);
    }
    ADD(submitting, -1);
    return NULL;
}

static pthread_t start(void *(*work)(void *), uint64_t seed)
{
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, work, (void *)(size_t)(seed * 0x9e3779b97f4a7c15u | 1)) == 0);
    return thread;
}

static void join(pthread_t thread)
{
    CHECK(pthread_join(thread, NULL) == 0);
}

/* Ends in order: everything accepted completes, is on disk, and the client closes. */
static void end(pthread_t poller, pthread_t *waker)
{
    STORE(waits_for, "flush");
    CHECK_NUMBER(chatblock_client_flush(client, NO_LIMIT), CHATBLOCK_OK);
    /* Who waits for edges takes the rest by itself; who polls takes completions before a wake-up. */
    STORE(waits_for, "the last completions");
    for (int round = 0; round < END_MS && LOAD(completed) < LOAD(accepted); round++)
        sleep_ms(1);
    STORE(is_over, 1);
    CHECK_NUMBER(chatblock_client_wakeup(client), CHATBLOCK_OK);
    join(poller);
    if (waker != NULL)
        join(*waker);
    if (has_disk) {
        STORE(waits_for, "sync");
        CHECK_NUMBER(chatblock_client_sync(client, NO_LIMIT), CHATBLOCK_OK);
    }
    STORE(waits_for, "close");
    CHECK_NUMBER(chatblock_client_close(client, END_MS), CHATBLOCK_OK);
    CHECK_NUMBER(completed, accepted);
    CHECK_NUMBER(reported, cancelled);
    CHECK_NUMBER(violations, 0);
}

int main(int count, char **arguments)
{
    if (count != 6)
        return 2;
    scenario = arguments[1];
    capacity = strtoull(arguments[3], NULL, 10);
    uint64_t seed = 100 * strtoull(arguments[4], NULL, 10);
    call_s = strtod(arguments[5], NULL) / 1000;
    calls = (struct call *)calloc(capacity, sizeof *calls);
    is_embedded = strstr(arguments[2], "\"base_url\"") == NULL;
    has_disk = strstr(arguments[2], "\"path\"") != NULL;
    int is_edge = is_scenario("edge"), is_pairs = is_scenario("pairs");
    int threads = is_pairs || is_scenario("quiet") ? 1 : SUBMITTERS;
    int is_flushed = is_edge || is_scenario("crowd") || is_scenario("flush");
    client = open_client(arguments[2]);

    submitting = threads;
    pthread_t submitters[SUBMITTERS], flusher, waker;
    pthread_t witness = start(watch_the_machine, 1);
    pthread_t poller = start(is_edge ? wait_for_edges : poll_until_over, 2);
    for (int i = 0; i < threads; i++)
        submitters[i] = start(is_pairs ? submit_pairs : submit_all, seed + 10 + (uint64_t)i);
    if (is_flushed)
        flusher = start(flush_and_sync, seed + 50);
    if (is_edge)
        waker = start(wake_often, seed + 51);
    for (int i = 0; i < threads; i++)
        join(submitters[i]);
    if (is_flushed)
        join(flusher);
    end(poller, is_edge ? &waker : NULL);
    join(witness);
    printf("accepted %ld, completed %ld, cancelled %ld, flushes %ld, worst stall %.0f ms\n",
           accepted, completed, cancelled, flushes, worst_stall * 1000);
    free(calls);
    return check_report();
}
