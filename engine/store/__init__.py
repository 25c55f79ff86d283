"""The stores: where rows are kept. `open_store` opens one; `ports` says what each of them promises."""
