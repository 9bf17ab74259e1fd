using ProcessPool.Confining.Linux;

namespace ProcessPool.Unit.Tests.Confinement;

using Architecture = System.Runtime.InteropServices.Architecture;

/// <summary>Runs a filter as the kernel would: what it says of one system call.</summary>
internal static class FilterMachine
{
    public const uint Allowed = SeccompFilter.Allow;

    public static uint Run(FilterInstruction[] program, int number, Architecture architecture = Architecture.X64, params ulong[] arguments)
    {
        uint accumulator = 0;
        for (var at = 0; ; at++)
        {
            var (code, ifTrue, ifFalse, operand) = program[at];
            switch (code)
            {
                case SeccompFilter.Load:
                    accumulator = operand switch
                    {
                        0 => (uint)number,
                        4 => architecture == Architecture.X64 ? 0xC000003E : architecture == Architecture.Arm64 ? 0xC00000B7 : 0x40000003,
                        _ => Half(arguments.ElementAtOrDefault((int)(operand - 16) / 8), (operand - 16) % 8 == 4),
                    };
                    break;
                case SeccompFilter.And:
                    accumulator &= operand;
                    break;
                case SeccompFilter.JumpEqual:
                    at += accumulator == operand ? ifTrue : ifFalse;
                    break;
                case SeccompFilter.JumpGreaterOrEqual:
                    at += accumulator >= operand ? ifTrue : ifFalse;
                    break;
                case SeccompFilter.JumpAnyBit:
                    at += (accumulator & operand) != 0 ? ifTrue : ifFalse;
                    break;
                case SeccompFilter.Return:
                    return operand;
                default:
                    throw new InvalidOperationException($"There is no instruction {code:x}.");
            }
        }
    }

    private static uint Half(ulong value, bool high) => (uint)(high ? value >> 32 : value);
}
