// Figure 5 of Kantee's "Environmental Independence: BSD Kernel TCP/IP in Userspace" (AsiaBSDCon 2009): a program boots
// a kernel and gives its interface an address by ioctl(SIOCAIFADDR), as ifconfig does. Here virt0 hangs on a simulated wire; on Linux its
// link string is the name of a tap interface.
import { simWorld } from "../../hypercall/sim/sim_world.ts";
import { SIOCAIFADDR, SIOCGIFADDR, ifaliasreq, ifreq } from "../../kernel-components/net/if_abi.ts";
import { PF_INET, SOCK_DGRAM } from "../../kernel-components/socket/socket_abi.ts";
import { mk_sockaddr_in, sin_addr } from "../../kernel-components/wire/sockaddr.ts";
import { inet_aton, inet_ntoa } from "../../kernel-components/wire/inet_addr.ts";
import { rump_pub_netconfig_ifcreate, rump_pub_netconfig_ifsetlinkstr } from "../../rumpsys/netconfig.ts";
import { rump_init } from "../../rumpsys/rump_init.ts";
import { rump_errno, rump_sys_socket } from "../../rumpsys/rump_sys.ts";
import { rump_sys_close, rump_sys_ioctl } from "../../rumpsys/rump_sys_fd.ts";

const world = simWorld();
world.wire("wire0");

// rump_init();
const rump = await rump_init({ host: world.host("figure5") });
rump_pub_netconfig_ifcreate(rump, "virt0");
rump_pub_netconfig_ifsetlinkstr(rump, "virt0", "wire0");

// s = rump_sys_socket(PF_INET, SOCK_DGRAM, 0);
const s = rump_sys_socket(rump, PF_INET, SOCK_DGRAM, 0);
if (s === -1) throw new Error(`socket: errno ${rump_errno(rump)}`);

// strcpy(ia.ifra_name, "virt0"); ia.ifra_addr = 10.181.181.10; ia.ifra_broadaddr = 10.181.181.255; ia.ifra_mask = 255.255.255.0;
const sockaddr = (text: string): Uint8Array => mk_sockaddr_in(inet_aton(text).addr);
const ia = ifaliasreq("virt0", sockaddr("10.181.181.10"), sockaddr("10.181.181.255"), sockaddr("255.255.255.0"));

// rump_sys_ioctl(s, SIOCAIFADDR, &ia);
if (rump_sys_ioctl(rump, s, SIOCAIFADDR, ia) === -1) throw new Error(`SIOCAIFADDR: errno ${rump_errno(rump)}`);

// and read back what the interface has now
const ifr = ifreq("virt0");
if (rump_sys_ioctl(rump, s, SIOCGIFADDR, ifr) === -1) throw new Error(`SIOCGIFADDR: errno ${rump_errno(rump)}`);
console.log(`virt0 has ${inet_ntoa(sin_addr(ifr, 16))}`);
rump_sys_close(rump, s);
console.log(`not given back at shutdown: ${rump.shutdown().text || "nothing"}`);

//> virt0 has 10.181.181.10
//> not given back at shutdown: nothing
