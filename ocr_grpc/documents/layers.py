"""The layers of the sandbox around a reader, and what each is for. A reader says which it has."""

RLIMITS = "rlimits"
NO_NEW_PRIVILEGES = "no-new-privileges"
NO_CAPABILITIES = "no-capabilities"
PARENT_DEATH = "parent-death"
EMPTY_FOLDER = "empty-folder"
NO_NETWORK = "no-network"
LANDLOCK = "landlock"
SECCOMP = "seccomp"

LAYERS = {
    RLIMITS: "a document could use all memory, fill the disk, or compute for ever",
    NO_NEW_PRIVILEGES: "a hijacked reader could gain rights from a set-user-id program",
    NO_CAPABILITIES: "a hijacked reader would have whatever privileges the server has",
    PARENT_DEATH: "readers could outlive a server that was killed",
    EMPTY_FOLDER: "a hijacked reader could write to the folder the server runs in",
    NO_NETWORK: "only the filter of system calls keeps a hijacked reader off the network",
    LANDLOCK: "a hijacked reader could open any file its user may open",
    SECCOMP: "a hijacked reader could connect to the network and trouble other processes",
}
"""Each layer with what is possible where the platform does not offer it."""
