/* Preloaded into a process of a gauntlet: its clock may be stepped, its fsync may fail, as a small file says.
   The file holds two whole numbers of 64 bits: nanoseconds that the wall clock is off, and whether fsync fails. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static const int64_t nothing[2] = {0, 0};
static volatile const int64_t *wished = nothing;

__attribute__((constructor)) static void open_wishes(void) {
  const char *path = getenv("GAUNTLET_WISHES");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (file < 0) return;
  void *seen = mmap(NULL, sizeof nothing, PROT_READ, MAP_SHARED, file, 0);
  close(file);
  if (seen != MAP_FAILED) wished = seen;
}

int clock_gettime(clockid_t which, struct timespec *now) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) real = (int (*)(clockid_t, struct timespec *))dlsym(RTLD_NEXT, "clock_gettime");
  int code = real(which, now);
  if (code == 0 && (which == CLOCK_REALTIME || which == CLOCK_REALTIME_COARSE)) {
    int64_t all = (int64_t)now->tv_sec * 1000000000 + now->tv_nsec + wished[0];
    now->tv_sec = all / 1000000000;
    now->tv_nsec = all % 1000000000;
  }
  return code;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
  struct timespec exact;
  (void)zone;
  if (clock_gettime(CLOCK_REALTIME, &exact) != 0) return -1;
  now->tv_sec = exact.tv_sec;
  now->tv_usec = exact.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *into) {
  struct timespec exact;
  clock_gettime(CLOCK_REALTIME, &exact);
  if (into) *into = exact.tv_sec;
  return exact.tv_sec;
}

#define FAILING(name)                                              \
  int name(int file) {                                             \
    static int (*real)(int);                                       \
    if (wished[1]) {                                               \
      errno = EIO;                                                 \
      return -1;                                                   \
    }                                                              \
    if (!real) real = (int (*)(int))dlsym(RTLD_NEXT, #name);       \
    return real(file);                                             \
  }
FAILING(fsync)
FAILING(fdatasync)
