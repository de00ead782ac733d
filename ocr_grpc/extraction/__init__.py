"""From a document and an engine to a stream of events."""
