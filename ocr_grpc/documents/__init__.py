"""From bytes to pages, parsed only in sandboxed child processes."""
