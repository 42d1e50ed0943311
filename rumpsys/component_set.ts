/**
 * Sets of components.
 */
import type { RumpComponent } from "../kernel-components/kern/component.ts";
import { pcapComponent } from "../drivers/pcap/pcap.component.ts";
import { ptpComponent } from "../drivers/ptp/ptp.component.ts";
import { shmifComponent } from "../drivers/shmif/shmif.component.ts";
import { virtifComponent } from "../drivers/virtif/virtif.component.ts";
import { inetComponent } from "../kernel-components/inet/inet.component.ts";
import { netComponent } from "../kernel-components/net/net.component.ts";
import { localComponent, socketComponent } from "../kernel-components/socket/socket.component.ts";

/** Sockets and PF_LOCAL: a kernel without network. */
export function local_components(): RumpComponent[] {
  return [socketComponent, localComponent];
}

/** Everything for IPv4: sockets, PF_LOCAL, net, inet, and all drivers. */
export function inet_components(): RumpComponent[] {
  return [
    ...local_components(),
    netComponent,
    inetComponent,
    pcapComponent,
    ptpComponent,
    shmifComponent,
    virtifComponent,
  ];
}
