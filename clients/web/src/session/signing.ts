// Signing in and out.
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { AuthService } from "../gen/ocr_grpc/v1/auth_service_pb.ts";
import { Role, type User } from "../gen/ocr_grpc/v1/user_pb.ts";
import { anonymousTransport, transport } from "../shared/transport.ts";
import { keep, kept, newFamily, noteEverybody, type Person } from "./kept.ts";
import { enter, leave } from "./session.ts";

const TIMEOUT_MS = 30_000; // wrong passwords are made to wait

/** Signs in. Throws what the server answers. */
export async function signIn(userName: string, password: string): Promise<void> {
  const client = createClient(AuthService, anonymousTransport);
  const tokens = await client.login({ userName, password }, { timeoutMs: TIMEOUT_MS });
  enter({
    family: newFamily(),
    generation: 0,
    accessToken: tokens.accessToken,
    refreshToken: tokens.refreshToken,
    expiresAt: Date.now() + tokens.expiresIn * 1000,
    person: personOf(tokens.user),
  });
}

/** Ends this session, or all of the user, at the server too. Throws if that does not hear of it. */
export async function signOut(everywhere: boolean): Promise<void> {
  try {
    await createClient(AuthService, transport).logout({ everywhere }, { timeoutMs: TIMEOUT_MS });
  } catch (error) {
    // A session that is over already is what was wanted.
    if (ConnectError.from(error).code !== Code.Unauthenticated) throw error;
  }
  leave("", true);
}

/**
 * Notes what the server says of the user whom calls of this tab belong to. Where nobody signs in,
 * everybody may administer, whatever role that user has.
 */
export function noteUser(user: User, authRequired: boolean): void {
  const session = kept();
  if (session) keep({ ...session, person: personOf(user) }, false);
  noteEverybody(authRequired ? null : { ...personOf(user), role: Role[Role.ADMIN] });
}

function personOf(user: User | undefined): Person {
  return {
    name: user?.displayName || user?.userName || "",
    role: Role[user?.role ?? Role.UNSPECIFIED] ?? "",
  };
}
