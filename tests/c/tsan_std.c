/* ThreadSanitizer sees the atomics of std's mutex only where they are inlined into our objects. A lock
 * that had to be waited for is taken inside std, which is compiled without the sanitizer: this says so
 * to the sanitizer. Linked with --wrap=LOCK_CONTENDED, which is the mangled name of
 * std::sys::sync::mutex::futex::Mutex::lock_contended. */
#include <sanitizer/tsan_interface.h>

#define TEXT_OF(name) #name
#define TEXT(name) TEXT_OF(name)

void take_in_std(void *mutex) __asm__("__real_" TEXT(LOCK_CONTENDED));
void take(void *mutex) __asm__("__wrap_" TEXT(LOCK_CONTENDED));

void take(void *mutex)
{
    take_in_std(mutex);
    __tsan_acquire(mutex);
}
