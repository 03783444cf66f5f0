// The service as a C++ team calls it: a libcurl easy handle per thread, reused, so that its connection
// stays; nlohmann/json both ways; every item read.
#pragma once

#include <curl/curl.h>

#include <nlohmann/json.hpp>
#include <random>

#include "../remote_call.hpp"

namespace bench {

struct Item {
    std::string account;
    int code;
};

inline std::size_t take(char *data, std::size_t size, std::size_t count, void *answer) {
    static_cast<std::string *>(answer)->append(data, size * count);
    return size * count;
}

class Service {
public:
    explicit Service(const RemoteCall &call) : call_(call), curl_(curl_easy_init()) {
        require(curl_ != nullptr, "no curl handle");
        headers_ = curl_slist_append(nullptr, "Content-Type: application/json");
        // Otherwise libcurl waits for a "100 Continue" before it sends a large body.
        headers_ = curl_slist_append(headers_, "Expect:");
        curl_easy_setopt(curl_, CURLOPT_HTTPHEADER, headers_);
        curl_easy_setopt(curl_, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl_, CURLOPT_CONNECTTIMEOUT_MS, 3000L);
        curl_easy_setopt(curl_, CURLOPT_TIMEOUT_MS, 3500L);
        curl_easy_setopt(curl_, CURLOPT_WRITEFUNCTION, take);
        if (call.has_tls()) curl_easy_setopt(curl_, CURLOPT_CAINFO, call.ca_file.c_str());
    }
    Service(const Service &) = delete;
    Service &operator=(const Service &) = delete;
    ~Service() {
        curl_slist_free_all(headers_);
        curl_easy_cleanup(curl_);
    }

    std::vector<Item> add(const std::string &owner, const std::vector<std::string> &targets) {
        const std::string url = call_.base_url + "/v4/sns/black_list_add?sdkappid=" + std::to_string(SDKAPPID) +
                                "&identifier=" + IDENTIFIER + "&usersig=" + call_.usersig +
                                "&random=" + std::to_string(random_()) + "&contenttype=json";
        const std::string body = nlohmann::json{{"From_Account", owner}, {"To_Account", targets}}.dump();
        std::string text;
        curl_easy_setopt(curl_, CURLOPT_URL, url.c_str());
        curl_easy_setopt(curl_, CURLOPT_POSTFIELDS, body.data());
        curl_easy_setopt(curl_, CURLOPT_POSTFIELDSIZE, static_cast<long>(body.size()));
        curl_easy_setopt(curl_, CURLOPT_WRITEDATA, &text);
        const CURLcode outcome = curl_easy_perform(curl_);
        require(outcome == CURLE_OK, curl_easy_strerror(outcome));
        long status = 0;
        curl_easy_getinfo(curl_, CURLINFO_RESPONSE_CODE, &status);
        require(status == 200, "HTTP status is not 200");
        return read(text);
    }

private:
    static std::vector<Item> read(const std::string &text) {
        const nlohmann::json answer = nlohmann::json::parse(text);
        require(answer.at("ActionStatus") == "OK" && answer.at("ErrorCode") == 0, text);
        std::vector<Item> items;
        for (const auto &item : answer.at("ResultItem")) {
            items.push_back({item.at("To_Account").get<std::string>(), item.at("ResultCode").get<int>()});
        }
        return items;
    }

    const RemoteCall &call_;
    CURL *curl_;
    curl_slist *headers_ = nullptr;
    std::minstd_rand random_;
};

}  // namespace bench
