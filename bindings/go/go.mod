module example.invalid/chatblock

go 1.19
