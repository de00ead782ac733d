// A way to a service that can be cut like a cable.
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

export interface Cable {
  /** `host:port` of this end. */
  readonly address: string;
  /** Cuts every connection that stands. New ones work. */
  cut(): void;
  close(): void;
}

/** Lays a cable to an address. */
export async function cable(address: string): Promise<Cable> {
  const [host = "", port] = address.split(":");
  const sockets = new Set<Socket>();
  const server = createServer((here) => {
    const there = connect(Number(port), host);
    for (const socket of [here, there]) {
      sockets.add(socket);
      socket.on("error", () => undefined).on("close", () => sockets.delete(socket));
    }
    here.pipe(there).pipe(here);
    here.on("close", () => there.destroy());
    there.on("close", () => here.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const cut = () => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  return {
    address: `127.0.0.1:${(server.address() as AddressInfo).port}`,
    cut,
    close() {
      server.close();
      cut();
    },
  };
}
