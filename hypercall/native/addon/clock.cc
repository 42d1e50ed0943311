// Clock group. Both clocks answer nanoseconds as a double: exact to the nanosecond for 104 days of uptime; the wall clock, a much
// larger number, is exact to a quarter of a microsecond.
#include <time.h>

#include "rumpuser.h"

namespace rumpuser {

static double read_clock(clockid_t clk) {
  struct timespec ts;
  clock_gettime(clk, &ts);
  return static_cast<double>(ts.tv_sec) * 1e9 + static_cast<double>(ts.tv_nsec);
}

static napi_value clock_monotonic(napi_env env, napi_callback_info) { return ret_f64(env, read_clock(CLOCK_MONOTONIC)); }

static napi_value clock_realtime(napi_env env, napi_callback_info) { return ret_f64(env, read_clock(CLOCK_REALTIME)); }

// clock_sleep(deadline_ns): blocks the calling thread until that CLOCK_MONOTONIC time.
static napi_value clock_sleep(napi_env env, napi_callback_info info) {
  Args<1> a(env, info);
  const double deadline = a.f64(0);
  if (!a.ok || !(deadline >= 0) || deadline > 9e18) return ret_i32(env, -EINVAL);
  const int64_t ns = static_cast<int64_t>(deadline);
  struct timespec ts;
  ts.tv_sec = static_cast<time_t>(ns / 1000000000);
  ts.tv_nsec = static_cast<long>(ns % 1000000000);
  int rc;
  do {
    rc = clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, nullptr);
  } while (rc == EINTR);
  return ret_i32(env, -rc);
}

void clock_exports(Napi::Env env, Napi::Object exports, State* st) {
  export_raw(env, exports, st, "clock_monotonic", clock_monotonic);
  export_raw(env, exports, st, "clock_realtime", clock_realtime);
  export_raw(env, exports, st, "clock_sleep", clock_sleep);
}

}  // namespace rumpuser
