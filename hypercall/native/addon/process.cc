// Process group: who is at the other end of a socket, dying with the parent, and CPU placement for measurements.
#include <dirent.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>

#include "rumpuser.h"

namespace rumpuser {

// peercred(fd) -> {pid, uid, gid} of the process that connected an AF_UNIX socket, or -errno
static Napi::Value peercred(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  int64_t fd = 0;
  if (!want_int(info, 0, "fd", &fd)) return env.Undefined();
  struct ucred cred = {};
  socklen_t len = sizeof cred;
  if (getsockopt(static_cast<int>(fd), SOL_SOCKET, SO_PEERCRED, &cred, &len) != 0) return Napi::Number::New(env, -errno);
  Napi::Object r = Napi::Object::New(env);
  r.Set("pid", static_cast<double>(cred.pid));
  r.Set("uid", static_cast<double>(cred.uid));
  r.Set("gid", static_cast<double>(cred.gid));
  return r;
}

// pdeathsig(sig) -> the parent's pid. The caller compares it with the parent it expects: one that died before the call sends nothing.
static Napi::Value pdeathsig(const Napi::CallbackInfo& info) {
  int64_t sig = 0;
  if (!want_int(info, 0, "signal", &sig)) return info.Env().Undefined();
  if (prctl(PR_SET_PDEATHSIG, static_cast<unsigned long>(sig)) != 0) return Napi::Number::New(info.Env(), -errno);
  return Napi::Number::New(info.Env(), static_cast<double>(getppid()));
}

// set_cpu_affinity(cpus) -> 0 or -errno: every thread of this process onto the CPUs of that list.
static Napi::Value set_cpu_affinity(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  if (info.Length() < 1 || !info[0].IsArray()) {
    Napi::TypeError::New(env, "cpus must be an array of numbers").ThrowAsJavaScriptException();
    return env.Undefined();
  }
  cpu_set_t set;
  CPU_ZERO(&set);
  const Napi::Array cpus = info[0].As<Napi::Array>();
  for (uint32_t i = 0; i < cpus.Length(); i++) {
    const int64_t cpu = cpus.Get(i).ToNumber().Int64Value();
    if (cpu < 0 || cpu >= CPU_SETSIZE) return Napi::Number::New(env, -EINVAL);
    CPU_SET(static_cast<size_t>(cpu), &set);
  }
  DIR* dir = opendir("/proc/self/task");
  if (dir == nullptr) return Napi::Number::New(env, -errno);
  int error = 0;
  for (struct dirent* e = readdir(dir); e != nullptr && error == 0; e = readdir(dir)) {
    const int tid = atoi(e->d_name);
    if (tid > 0 && sched_setaffinity(tid, sizeof set, &set) != 0 && errno != ESRCH) error = errno;
  }
  closedir(dir);
  return Napi::Number::New(env, -error);
}

void process_exports(Napi::Env env, Napi::Object exports, State* st) {
  export_control(env, exports, st, "peercred", peercred);
  export_control(env, exports, st, "pdeathsig", pdeathsig);
  export_control(env, exports, st, "set_cpu_affinity", set_cpu_affinity);
}

}  // namespace rumpuser
