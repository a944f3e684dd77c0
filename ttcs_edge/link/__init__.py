"""The broker, HTTPS, and the control socket."""
