namespace ProcessPool.Confining.Linux;

/// <summary>Errors of system calls. The same on every architecture. Source: asm-generic/errno-base.h, errno.h.</summary>
internal static class ErrorNumber
{
    public const int NotPermitted = 1;
    public const int NoEntry = 2;
    public const int NoProcess = 3;
    public const int WouldBlock = 11;
    public const int OutOfMemory = 12;
    public const int PermissionDenied = 13;
    public const int Exists = 17;
    public const int NotDirectory = 20;
    public const int IsDirectory = 21;
    public const int InvalidArgument = 22;
    public const int NotImplemented = 38;
    public const int NotEmpty = 39;
    public const int TooManyLinks = 40;
}
