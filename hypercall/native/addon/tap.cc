// Host Ethernet device, control side: opening a tap with the virtio header and as many offloads as this host's kernel grants.
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstring>

#include "rumpuser.h"

// Younger than the system headers of Debian 12.
#ifndef TUN_F_USO4
#define TUN_F_USO4 0x20
#define TUN_F_USO6 0x40
#endif

namespace rumpuser {

static const char TUN_DEVICE[] = "/dev/net/tun";
static const int VNET_HDR_SIZE = 12;

// Tried in order; an older host kernel refuses a set that holds a bit it does not know.
static const unsigned OFFLOADS[] = {
    TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_USO4 | TUN_F_USO6,
    TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6,
    TUN_F_CSUM | TUN_F_TSO4,
    TUN_F_CSUM,
    0,
};

struct TapFailure {
  int error = 0;
  const char* step = "";
};

static int attach(int fd, const std::string& name, bool vnet_hdr, struct ifreq* ifr) {
  // A device made by `ip tuntap ... multi_queue` refuses a queue that does not ask for the same.
  for (const int extra : {0, IFF_MULTI_QUEUE}) {
    memset(ifr, 0, sizeof *ifr);
    memcpy(ifr->ifr_name, name.c_str(), name.size());
    ifr->ifr_flags = static_cast<short>(IFF_TAP | IFF_NO_PI | (vnet_hdr ? IFF_VNET_HDR : 0) | extra);
    if (ioctl(fd, TUNSETIFF, ifr) == 0) return 0;
    if (errno != EINVAL || name.empty()) return errno;
  }
  return EINVAL;
}

static int set_vnet(int fd, bool want_offloads, unsigned* granted) {
  int size = VNET_HDR_SIZE;
  if (ioctl(fd, TUNSETVNETHDRSZ, &size) != 0) return errno;
  for (const unsigned set : OFFLOADS) {
    if (!want_offloads && set != 0) continue;
    if (ioctl(fd, TUNSETOFFLOAD, set) == 0) {
      *granted = set;
      return 0;
    }
    if (errno != EINVAL) return errno;
  }
  return errno;
}

static Napi::Value failure(Napi::Env env, int fd, TapFailure f) {
  if (fd >= 0) close(fd);
  Napi::Object r = Napi::Object::New(env);
  r.Set("error", -f.error);
  r.Set("step", f.step);
  return r;
}

// tap_open(name or "", vnet_hdr, offload) -> {fd, name, mac, offloads}, or {error, step}: `step` says which call failed.
static Napi::Value tap_open(const Napi::CallbackInfo& info) {
  Napi::Env env = info.Env();
  std::string name;
  if (!want_string(info, 0, "name", &name)) return env.Undefined();
  const bool vnet_hdr = info.Length() > 1 && info[1].ToBoolean().Value();
  const bool offload = info.Length() > 2 && info[2].ToBoolean().Value();
  if (name.size() >= IFNAMSIZ || name.find('\0') != std::string::npos) return failure(env, -1, {ENAMETOOLONG, "name"});

  const int fd = open(TUN_DEVICE, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return failure(env, fd, {errno, "open"});
  struct ifreq ifr;
  const int error = attach(fd, name, vnet_hdr, &ifr);
  if (error != 0) return failure(env, fd, {error, "attach"});
  unsigned granted = 0;
  if (vnet_hdr) {
    const int refused = set_vnet(fd, offload, &granted);
    if (refused != 0) return failure(env, fd, {refused, "offload"});
  }
  const std::string real(ifr.ifr_name, strnlen(ifr.ifr_name, IFNAMSIZ));
  if (ioctl(fd, SIOCGIFHWADDR, &ifr) != 0) return failure(env, fd, {errno, "address"});

  Napi::Uint8Array mac = Napi::Uint8Array::New(env, 6);
  memcpy(mac.Data(), ifr.ifr_hwaddr.sa_data, 6);
  Napi::Object r = Napi::Object::New(env);
  r.Set("fd", own_fd(state_of(info), fd));
  r.Set("name", real);
  r.Set("mac", mac);
  r.Set("offloads", static_cast<double>(granted));
  return r;
}

void tap_exports(Napi::Env env, Napi::Object exports, State* st) { export_control(env, exports, st, "tap_open", tap_open); }

}  // namespace rumpuser
