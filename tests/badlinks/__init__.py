"""The links of a pole's life: real network namespaces, real packets, a line as bad as a test wants it."""
