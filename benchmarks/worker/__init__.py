"""One process with one framework: it builds, proves, times, profiles and trains. Light, for an import is timed here."""
