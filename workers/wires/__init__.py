"""The registrar's protocol in its three shapes over HTTP; nothing above this package knows HTTP."""
