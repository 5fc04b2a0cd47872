"""One adapter per framework: devices, copies, synchronisation, threads, precision flags, versions."""
