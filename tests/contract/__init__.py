"""One suite for every store: what `engine.store.ports` promises must hold on each."""
