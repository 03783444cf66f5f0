/* Everything at once, for ThreadSanitizer: eight threads submit, two poll, and the client is closed
 * while calls wait. `stress` works on the embedded engine, `stress URL` on a service there, and
 * `stress URL FILE` with an outbox too. */
#include "host.h"

#include <pthread.h>

enum { SUBMITTERS = 8, POLLERS = 2, EACH = 120, OWNERS = 5, ROUNDS = 2, DROPPED = 20 };

static const char *const TARGETS[] = {"bob", "cat", "dan"};
static const char *url, *outbox;

struct worker {
    pthread_t thread;
    pthread_barrier_t *gate;
    chatblock_client *client;
    int number;
    int wrong;
    int accepted, completed, cancelled;
};

static void start(struct worker *worker, chatblock_client *client, int number, void *(*work)(void *))
{
    memset(worker, 0, sizeof *worker);
    worker->client = client;
    worker->number = number;
    CHECK(pthread_create(&worker->thread, NULL, work, worker) == 0);
}

static void finish(struct worker *worker)
{
    CHECK(pthread_join(worker->thread, NULL) == 0);
    CHECK_NUMBER(worker->wrong, 0);
}

static chatblock_client *open_at(int rate_per_second)
{
    char config[600] = "{}", outbox_path[300] = "";
    if (outbox != NULL)
        snprintf(outbox_path, sizeof outbox_path, ",\"outbox\":{\"path\":\"%s\"}", outbox);
    if (url != NULL)
        snprintf(config, sizeof config,
                 "{\"sdkappid\":1400000001,\"secret_key\":\"" TEST_KEY "\",\"base_url\":\"%s\","
                 "\"attempt_ms\":20000,\"call_ms\":60000,\"rate_per_second\":%d%s}",
                 url, rate_per_second, outbox_path);
    return open_client(config);
}

/* Reads everything of a result and frees it; whether it is what is expected. */
static int is_fine(chatblock_result *result, chatblock_status also)
{
    int fine = strlen(chatblock_result_from_account(result)) == 2;
    for (size_t i = 0; i < chatblock_result_item_count(result); i++)
        fine &= *chatblock_result_item_account(result, i) != '\0';
    chatblock_status status = chatblock_result_status(result);
    fine &= status == CHATBLOCK_OK || status == also ||
            /* At close a write that is on disk stays queued. */
            (also == CHATBLOCK_ERR_CLOSED && status == CHATBLOCK_ERR_QUEUED);
    fine &= status != CHATBLOCK_OK || chatblock_result_json_len(result) > 0;
    chatblock_result_free(result);
    return fine;
}

/* One call of the n-th kind; all threads work on the same few owners. */
static void make_call(struct worker *worker, int n)
{
    const chatblock_client *client = worker->client;
    uint64_t tag = (uint64_t)(worker->number * EACH + n);
    char owner[8], get[80];
    chatblock_status status = CHATBLOCK_OK;
    snprintf(owner, sizeof owner, "o%d", n % OWNERS);
    snprintf(get, sizeof get,
             "{\"From_Account\":\"%s\",\"StartIndex\":0,\"MaxLimited\":9,\"LastSequence\":0}", owner);
    switch ((n + worker->number) % 8) {
    case 0:
    case 1: status = chatblock_blocklist_add_async(client, owner, TARGETS, 2, tag, NULL); break;
    case 2: status = chatblock_blocklist_delete_async(client, owner, TARGETS + 1, 2, tag, NULL); break;
    case 3:
        status = chatblock_blocklist_check_async(client, owner, TARGETS, 3, CHATBLOCK_CHECK_BOTH, tag, NULL);
        break;
    case 4: status = chatblock_client_submit(client, "black_list_get", get, tag, NULL); break;
    case 5:
        worker->wrong += !is_fine(chatblock_blocklist_add(client, owner, TARGETS, 3), CHATBLOCK_OK);
        return;
    case 6:
        worker->wrong += !is_fine(chatblock_blocklist_get(client, owner, 0, 9), CHATBLOCK_OK);
        return;
    default:
        worker->cancelled += chatblock_client_cancel(client, tag - 1);
        worker->wrong += chatblock_client_flush(client, 0) == CHATBLOCK_ERR_PANIC;
        worker->wrong += chatblock_client_sync(client, 0) == CHATBLOCK_ERR_PANIC;
        worker->wrong += chatblock_client_event_fd(client) < 0;
        worker->wrong += take(chatblock_client_stats(client)) != CHATBLOCK_OK;
        return;
    }
    worker->wrong += status != CHATBLOCK_OK;
    worker->accepted++;
}

static void *submit(void *argument)
{
    struct worker *worker = (struct worker *)argument;
    for (int n = 0; n < EACH; n++)
        make_call(worker, n);
    return NULL;
}

/* Until a wake-up says that everything was taken. */
static void *take_all(void *argument)
{
    struct worker *worker = (struct worker *)argument;
    for (chatblock_result *r; (r = chatblock_client_poll(worker->client, -1)) != NULL;) {
        worker->completed++;
        worker->cancelled += chatblock_result_status(r) == CHATBLOCK_ERR_CANCELLED;
        worker->wrong += !is_fine(r, CHATBLOCK_ERR_CANCELLED);
    }
    return NULL;
}

static void eight_submit_and_two_poll(void)
{
    static struct worker submitters[SUBMITTERS], pollers[POLLERS];
    int accepted = 0, cancelled = 0, completed = 0, reported = 0;
    chatblock_client *client = open_at(100000);
    for (int i = 0; i < POLLERS; i++)
        start(&pollers[i], client, i, take_all);
    for (int i = 0; i < SUBMITTERS; i++)
        start(&submitters[i], client, i, submit);
    for (int i = 0; i < SUBMITTERS; i++) {
        finish(&submitters[i]);
        accepted += submitters[i].accepted;
        cancelled += submitters[i].cancelled;
    }
    /* Completions go before wake-ups: each poller ends when nothing is left. */
    CHECK_NUMBER(chatblock_client_flush(client, -1), CHATBLOCK_OK);
    for (int i = 0; i < POLLERS; i++)
        CHECK_NUMBER(chatblock_client_wakeup(client), CHATBLOCK_OK);
    for (int i = 0; i < POLLERS; i++) {
        finish(&pollers[i]);
        completed += pollers[i].completed;
        reported += pollers[i].cancelled;
    }
    CHECK_NUMBER(completed, accepted);
    CHECK_NUMBER(reported, cancelled);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
}

/* One call each, because nobody may start one once the client closes. */
static void *wait_for_the_service(void *argument)
{
    struct worker *worker = (struct worker *)argument;
    char owner[8];
    snprintf(owner, sizeof owner, "w%d", worker->number);
    pthread_barrier_wait(worker->gate);
    worker->wrong =
        worker->number == 0
            ? chatblock_client_flush(worker->client, -1) != CHATBLOCK_OK
            : !is_fine(chatblock_blocklist_add(worker->client, owner, TARGETS, 1), CHATBLOCK_ERR_CLOSED);
    return NULL;
}

static void *wait_for_a_completion(void *argument)
{
    struct worker *worker = (struct worker *)argument;
    pthread_barrier_wait(worker->gate);
    chatblock_result *r = chatblock_client_poll(worker->client, -1);
    worker->wrong = r != NULL && !is_fine(r, CHATBLOCK_ERR_CLOSED);
    return NULL;
}

/* At one call per second a service keeps them all waiting. */
static void close_while_calls_wait(int timeout_ms)
{
    static struct worker waiting[SUBMITTERS + POLLERS];
    pthread_barrier_t gate;
    chatblock_client *client = open_at(1);
    CHECK(pthread_barrier_init(&gate, NULL, SUBMITTERS + POLLERS + 1) == 0);
    for (int i = 0; i < SUBMITTERS + POLLERS; i++) {
        struct worker *worker = &waiting[i];
        memset(worker, 0, sizeof *worker);
        worker->gate = &gate;
        worker->client = client;
        worker->number = i;
        CHECK(pthread_create(&worker->thread, NULL,
                             i < SUBMITTERS ? wait_for_the_service : wait_for_a_completion,
                             worker) == 0);
    }
    pthread_barrier_wait(&gate);
    sleep_ms(300); /* nobody can see that they wait; long after they began */
    for (int i = 0; i < DROPPED; i++)
        CHECK_NUMBER(chatblock_blocklist_add_async(client, "ww", TARGETS, 1, 1, NULL), CHATBLOCK_OK);
    chatblock_status status = chatblock_client_close(client, timeout_ms);
    CHECK(status == CHATBLOCK_OK || status == CHATBLOCK_ERR_TIMEOUT);
    for (int i = 0; i < SUBMITTERS + POLLERS; i++)
        finish(&waiting[i]);
    CHECK(pthread_barrier_destroy(&gate) == 0);
}

#ifdef PLANT_RACE
/* What the header forbids: a result that one thread of the program has, read by another one with no
 * order between them. The two sides of the race are both in the library. */
static chatblock_result *handed_over;

static void *read_without_order(void *argument)
{
    chatblock_result *result;
    while ((result = __atomic_load_n(&handed_over, __ATOMIC_RELAXED)) == NULL)
        sleep_ms(1);
    (void)argument;
    return (void *)(size_t)chatblock_result_tag(result);
}

static void race(void)
{
    pthread_t reader;
    chatblock_client *client = open_at(100000);
    CHECK(pthread_create(&reader, NULL, read_without_order, NULL) == 0);
    CHECK_NUMBER(chatblock_blocklist_add_async(client, "ann", TARGETS, 1, 1, NULL), CHATBLOCK_OK);
    chatblock_result *result = chatblock_client_poll(client, -1);
    __atomic_store_n(&handed_over, result, __ATOMIC_RELAXED);
    CHECK(pthread_join(reader, NULL) == 0);
    chatblock_result_free(result);
    CHECK_NUMBER(chatblock_client_close(client, -1), CHATBLOCK_OK);
}
#endif

int main(int count, char **arguments)
{
    url = count > 1 ? arguments[1] : NULL;
    outbox = count > 2 ? arguments[2] : NULL;
    for (int round = 0; round < ROUNDS; round++) {
        eight_submit_and_two_poll();
        close_while_calls_wait(round % 2 == 0 ? 2000 : 0);
    }
#ifdef PLANT_RACE
    race();
#endif
    return check_report();
}
