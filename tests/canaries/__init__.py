"""Documents that reach out, and a server and a file that notice whether anybody came."""
