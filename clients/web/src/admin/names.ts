// The names of users, for lists that know their ids alone.
import { admins } from "../account/parts/clients.ts";
import { useLoaded } from "../account/parts/load.ts";
import type { User } from "../gen/ocr_grpc/v1/user_pb.ts";

const MOST = 500;

export interface Names {
  /** Returns the name of a user, or the id where it is not among those that were asked for. */
  readonly of: (userId: string) => string;
  /** Returns the id of a user with this name; an id, or something unknown, stays as it is. */
  readonly idOf: (name: string) => Promise<string>;
  /** All that are known, in order. */
  readonly known: readonly string[];
  readonly reload: () => void;
}

/** Asks for the names of the newest users, once for all lists of a `section`. */
export function useNames(section: string): Names {
  const users = useLoaded((signal) => admins.listUsers({ pageSize: MOST }, { signal }), [section]);
  const found = users.value?.users ?? [];
  return {
    of: (userId) => found.find((user) => user.userId === userId)?.userName ?? userId,
    idOf: async (name) => named(found, name) ?? (name && (await askedId(name))),
    known: found.map((user) => user.userName).sort(),
    reload: users.reload,
  };
}

async function askedId(name: string): Promise<string> {
  const { users } = await admins.listUsers({ query: name, pageSize: MOST });
  return named(users, name) ?? name;
}

function named(users: readonly User[], name: string): string | undefined {
  return users.find((user) => user.userName.toLowerCase() === name.toLowerCase())?.userId;
}
