"""The domain: pure code on requests, snapshots, scripts and failures."""
