"""The commands of `derive`, one file each: `command` is the function whose parameters are the command's arguments."""
