// Memory group: registration of JavaScript memory, and files mapped over a part of it.
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rumpuser.h"

namespace rumpuser {

// slab_register(ArrayBuffer | ArrayBufferView) -> handle. A view over a SharedArrayBuffer is accepted too.
static Napi::Value slab_register(const Napi::CallbackInfo& info) {
  State* st = state_of(info);
  napi_env env = info.Env();
  Region r;
  void* data = nullptr;
  size_t len = 0;
  if (info.Length() > 0 && info[0].IsArrayBuffer()) {
    napi_get_arraybuffer_info(env, info[0], &data, &len);
  } else if (info.Length() > 0 && info[0].IsTypedArray()) {
    napi_typedarray_type type = napi_uint8_array;
    size_t count = 0;
    napi_get_typedarray_info(env, info[0], &type, &count, &data, nullptr, nullptr);
    len = info[0].As<Napi::TypedArray>().ByteLength();
  } else {
    Napi::TypeError::New(env, "slab must be an ArrayBuffer or a typed array").ThrowAsJavaScriptException();
    return info.Env().Undefined();
  }
  if (data == nullptr || len == 0) return Napi::Number::New(env, -EINVAL);
  r.base = static_cast<uint8_t*>(data);
  r.size = len;
  if (napi_create_reference(env, info[0], 1, &r.ref) != napi_ok) return Napi::Number::New(env, -ENOMEM);
  for (size_t i = 0; i < st->regions.size(); i++) {
    if (st->regions[i].base != nullptr) continue;
    st->regions[i] = r;
    return Napi::Number::New(env, static_cast<double>(i));
  }
  st->regions.push_back(r);
  return Napi::Number::New(env, static_cast<double>(st->regions.size() - 1));
}

// slab_release(handle): the handle is free for reuse. EBUSY while block I/O still runs on the memory.
static Napi::Value slab_release(const Napi::CallbackInfo& info) {
  State* st = state_of(info);
  int64_t h = 0;
  if (!want_int(info, 0, "slab", &h)) return info.Env().Undefined();
  if (h < 0 || static_cast<size_t>(h) >= st->regions.size() || st->regions[h].base == nullptr) {
    return Napi::Number::New(info.Env(), -EBADF);
  }
  if (st->regions[h].busy != 0) return Napi::Number::New(info.Env(), -EBUSY);
  napi_delete_reference(info.Env(), st->regions[h].ref);
  st->regions[h] = Region();
  return Napi::Number::New(info.Env(), 0);
}

// The page-aligned address of a mapping request, or nullptr.
static uint8_t* page_range(State* st, uint32_t h, uint32_t off, uint32_t len) {
  uint8_t* at = region_at(st, h, off, len);
  const uintptr_t page = static_cast<uintptr_t>(sysconf(_SC_PAGESIZE));
  if (at == nullptr || len == 0 || (reinterpret_cast<uintptr_t>(at) | len) % page != 0) return nullptr;
  return at;
}

// slab_mapfile(slab, off, fd, fileoff, len): shared read-write mapping of a file over [off, off + len). The file must already be
// that long: touching a page past its end would kill the process.
static napi_value slab_mapfile(napi_env env, napi_callback_info info) {
  Args<5> a(env, info);
  const uint32_t h = a.u32(0);
  const uint32_t off = a.u32(1);
  const int fd = a.i32(2);
  const int64_t fileoff = a.i64(3);
  const uint32_t len = a.u32(4);
  if (!a.ok) return ret_i32(env, -EINVAL);
  uint8_t* at = page_range(a.st, h, off, len);
  if (at == nullptr || fileoff < 0) return ret_i32(env, -EINVAL);
  struct stat sb;
  if (fstat(fd, &sb) != 0) return ret_i32(env, -errno);
  if (sb.st_size < fileoff + static_cast<int64_t>(len)) return ret_i32(env, -ENXIO);
  if (mmap(at, len, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd, fileoff) == MAP_FAILED) return ret_i32(env, -errno);
  return ret_i32(env, 0);
}

// slab_unmap(slab, off, len): the range becomes private zero pages again.
static napi_value slab_unmap(napi_env env, napi_callback_info info) {
  Args<3> a(env, info);
  const uint32_t h = a.u32(0);
  const uint32_t off = a.u32(1);
  const uint32_t len = a.u32(2);
  if (!a.ok) return ret_i32(env, -EINVAL);
  uint8_t* at = page_range(a.st, h, off, len);
  if (at == nullptr) return ret_i32(env, -EINVAL);
  void* p = mmap(at, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED, -1, 0);
  return ret_i32(env, p == MAP_FAILED ? -errno : 0);
}

void slab_exports(Napi::Env env, Napi::Object exports, State* st) {
  export_control(env, exports, st, "slab_register", slab_register);
  export_control(env, exports, st, "slab_release", slab_release);
  export_raw(env, exports, st, "slab_mapfile", slab_mapfile);
  export_raw(env, exports, st, "slab_unmap", slab_unmap);
}

}  // namespace rumpuser
