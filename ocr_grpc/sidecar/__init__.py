"""The HTTP sidecar: Envoy, configured from the protos and the settings, and watched over."""
