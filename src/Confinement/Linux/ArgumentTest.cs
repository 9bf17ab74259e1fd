namespace ProcessPool.Confining.Linux;

/// <summary>Something about an argument of a system call that makes it one to refuse.</summary>
/// <param name="Kind">What.</param>
/// <param name="Argument">Which argument, from 0.</param>
/// <param name="Values">What it is compared with.</param>
internal sealed record ArgumentTest(ArgumentTestKind Kind, int Argument, params uint[] Values)
{
    /// <summary>It is none of these.</summary>
    public static ArgumentTest NoneOf(int argument, params uint[] values) => new(ArgumentTestKind.NoneOf, argument, values);

    /// <summary>It is one of these.</summary>
    public static ArgumentTest OneOf(int argument, params uint[] values) => new(ArgumentTestKind.OneOf, argument, values);

    /// <summary>It has all of these bits.</summary>
    public static ArgumentTest HasAll(int argument, uint bits) => Masked(argument, bits, bits);

    /// <summary>What a mask leaves of it is this.</summary>
    public static ArgumentTest Masked(int argument, uint mask, uint value) => new(ArgumentTestKind.Masked, argument, mask, value);

    /// <summary>It lacks this bit.</summary>
    public static ArgumentTest Lacks(int argument, uint bit) => new(ArgumentTestKind.Lacks, argument, bit);

    /// <summary>It is a pointer to something.</summary>
    public static ArgumentTest NotNull(int argument) => new(ArgumentTestKind.NotNull, argument);

    /// <summary>It is a process id, neither 0 nor this process's.</summary>
    public static ArgumentTest OtherProcess(int argument) => new(ArgumentTestKind.OtherProcess, argument);

    /// <summary>It is anything but this process's id: 0 and negative numbers are groups.</summary>
    public static ArgumentTest NotThis(int argument) => new(ArgumentTestKind.NotThis, argument);
}

internal enum ArgumentTestKind
{
    NoneOf,
    OneOf,
    Masked,
    Lacks,
    NotNull,
    OtherProcess,
    NotThis,
}
