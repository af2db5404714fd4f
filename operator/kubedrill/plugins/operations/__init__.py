"""The operations of the faults: how each is carried out, undone and described, one file each. No kopf in here."""
