/* A client of a service that never answers: a listener on loopback that takes connections and says
 * nothing. */
#ifndef NETWORK_H
#define NETWORK_H

#include "host.h"

#include <arpa/inet.h>
#include <poll.h>
#include <sys/socket.h>

static inline int listen_on_loopback(int *port)
{
    struct sockaddr_in address;
    socklen_t size = sizeof address;
    memset(&address, 0, sizeof address);
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CHECK(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 16) == 0);
    CHECK(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
    *port = ntohs(address.sin_port);
    return listener;
}

/* A connection on which a request has begun to arrive, or -1 after twenty seconds. */
static inline int accept_request(int listener)
{
    struct pollfd waiting = {listener, POLLIN, 0};
    char first;
    if (poll(&waiting, 1, 20000) != 1)
        return -1;
    int peer = accept(listener, NULL, NULL);
    return recv(peer, &first, 1, 0) == 1 ? peer : -1;
}

/* `more` is a further part of the configuration. */
static inline chatblock_client *open_remote_with(int port, int attempt_ms, int call_ms, const char *more)
{
    char config[400];
    snprintf(config, sizeof config,
             "{\"sdkappid\":1400000001,\"secret_key\":\"" TEST_KEY "\",\"retry\":{\"attempts\":1},"
             "\"base_url\":\"http://127.0.0.1:%d\",\"attempt_ms\":%d,\"call_ms\":%d%s}",
             port, attempt_ms, call_ms, more);
    return open_client(config);
}

static inline chatblock_client *open_remote(int port, int attempt_ms, int call_ms)
{
    return open_remote_with(port, attempt_ms, call_ms, "");
}

#endif
