// The host's own side of a tap: address, MTU and up/down by ioctl, so that joining the host needs no external program. Needs
// CAP_NET_ADMIN.
#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstring>

#include "rumpuser.h"

namespace rumpuser {

static int with_socket(const std::string& name, struct ifreq* ifr, int (*op)(int, struct ifreq*, int64_t), int64_t value) {
  if (name.empty() || name.size() >= IFNAMSIZ) return -ENAMETOOLONG;
  const int s = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (s < 0) return -errno;
  memset(ifr, 0, sizeof *ifr);
  memcpy(ifr->ifr_name, name.c_str(), name.size());
  const int rc = op(s, ifr, value) == 0 ? 0 : -errno;
  close(s);
  return rc;
}

static int op_flags(int s, struct ifreq* ifr, int64_t up) {
  if (ioctl(s, SIOCGIFFLAGS, ifr) != 0) return -1;
  const int flags = up != 0 ? ifr->ifr_flags | IFF_UP : ifr->ifr_flags & ~IFF_UP;
  ifr->ifr_flags = static_cast<short>(flags);
  return ioctl(s, SIOCSIFFLAGS, ifr);
}

static int op_mtu(int s, struct ifreq* ifr, int64_t mtu) {
  ifr->ifr_mtu = static_cast<int>(mtu);
  return ioctl(s, SIOCSIFMTU, ifr);
}

static void put_in(struct ifreq* ifr, uint32_t host_order) {
  struct sockaddr_in sin = {};
  sin.sin_family = AF_INET;
  sin.sin_addr.s_addr = htonl(host_order);
  memcpy(&ifr->ifr_addr, &sin, sizeof sin);
}

static int op_addr(int s, struct ifreq* ifr, int64_t value) {
  const uint32_t prefix = static_cast<uint32_t>(value >> 32);
  put_in(ifr, static_cast<uint32_t>(value));
  if (ioctl(s, SIOCSIFADDR, ifr) != 0) return -1;
  put_in(ifr, prefix == 0 ? 0 : ~0u << (32 - prefix));
  return ioctl(s, SIOCSIFNETMASK, ifr);
}

// hostif_up(name, up) -> 0 or -errno
static Napi::Value hostif_up(const Napi::CallbackInfo& info) {
  std::string name;
  if (!want_string(info, 0, "name", &name)) return info.Env().Undefined();
  struct ifreq ifr;
  const int64_t up = info.Length() > 1 && info[1].ToBoolean().Value() ? 1 : 0;
  return Napi::Number::New(info.Env(), with_socket(name, &ifr, op_flags, up));
}

// hostif_mtu(name, mtu) -> 0 or -errno
static Napi::Value hostif_mtu(const Napi::CallbackInfo& info) {
  std::string name;
  int64_t mtu = 0;
  if (!want_string(info, 0, "name", &name) || !want_int(info, 1, "mtu", &mtu)) return info.Env().Undefined();
  struct ifreq ifr;
  return Napi::Number::New(info.Env(), with_socket(name, &ifr, op_mtu, mtu));
}

// hostif_addr(name, IPv4 address in host order, prefix length) -> 0 or -errno
static Napi::Value hostif_addr(const Napi::CallbackInfo& info) {
  std::string name;
  int64_t addr = 0;
  int64_t prefix = 0;
  if (!want_string(info, 0, "name", &name) || !want_int(info, 1, "address", &addr) || !want_int(info, 2, "prefix", &prefix)) {
    return info.Env().Undefined();
  }
  if (prefix < 0 || prefix > 32) return Napi::Number::New(info.Env(), -EINVAL);
  struct ifreq ifr;
  const int64_t value = (prefix << 32) | (addr & 0xffffffff);
  return Napi::Number::New(info.Env(), with_socket(name, &ifr, op_addr, value));
}

void hostif_exports(Napi::Env env, Napi::Object exports, State* st) {
  export_control(env, exports, st, "hostif_up", hostif_up);
  export_control(env, exports, st, "hostif_mtu", hostif_mtu);
  export_control(env, exports, st, "hostif_addr", hostif_addr);
}

}  // namespace rumpuser
