// Who is before the page: a stranger, somebody signed in, or anybody where nobody signs in.
import { useEffect, useRef, useState } from "preact/hooks";
import type { GetCapabilitiesResponse } from "../../gen/ocr_grpc/v1/ocr_service_pb.ts";
import { Role, type User } from "../../gen/ocr_grpc/v1/user_pb.ts";
import { isSignedIn, onSessionChange } from "../../session/session.ts";
import { noteUser } from "../../session/signing.ts";
import { showLinksOfRole } from "../../shared/shell.ts";
import { auth, ocr } from "./clients.ts";
import { type Loaded, useLoaded } from "./load.ts";

/** Somebody whose calls the server takes. */
export interface Inside {
  readonly at: "inside";
  readonly me: User;
  readonly capabilities: GetCapabilitiesResponse;
  readonly mayAdminister: boolean;
  /** Asks the server again who this is. */
  readonly reload: () => void;
}

export type Gate =
  | { readonly at: "loading"; readonly loaded: Loaded<unknown> }
  | { readonly at: "outside"; readonly capabilities: GetCapabilitiesResponse }
  | Inside;

interface Known {
  readonly capabilities: GetCapabilitiesResponse;
  /** Null if nobody is signed in. */
  readonly me: User | null;
}

/** Returns where the reader stands, and again when somebody signs in or out. */
export function useGate(): Gate {
  const signedIn = useSignedIn();
  const capabilities = useRef<GetCapabilitiesResponse | null>(null);
  const loaded = useLoaded<Known>(
    async (signal) => {
      capabilities.current ??= await ocr.getCapabilities({}, { signal });
      return {
        capabilities: capabilities.current,
        me: await whoIsThis(capabilities.current, signal),
      };
    },
    [signedIn],
  );
  if (!loaded.value) return { at: "loading", loaded };
  const { me } = loaded.value;
  const { authRequired } = loaded.value.capabilities;
  if (authRequired && !signedIn) return { at: "outside", capabilities: loaded.value.capabilities };
  if (!me) return { at: "loading", loaded: { ...loaded, value: null } };
  // Where nobody signs in, the server lets everybody administer, whatever role that user has.
  const mayAdminister = !authRequired || me.role === Role.ADMIN;
  return {
    at: "inside",
    me,
    capabilities: loaded.value.capabilities,
    mayAdminister,
    reload: loaded.reload,
  };
}

async function whoIsThis(
  { authRequired }: GetCapabilitiesResponse,
  signal: AbortSignal,
): Promise<User | null> {
  if (authRequired && !isSignedIn()) return null;
  const { user } = await auth.getMe({}, { signal });
  if (user) noteUser(user, authRequired);
  showLinksOfRole();
  return user ?? null;
}

function useSignedIn(): boolean {
  const [signedIn, setSignedIn] = useState(isSignedIn);
  useEffect(
    () =>
      onSessionChange(() => {
        setSignedIn(isSignedIn());
        showLinksOfRole();
      }),
    [],
  );
  return signedIn;
}
