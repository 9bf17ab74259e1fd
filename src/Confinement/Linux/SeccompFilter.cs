using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using ProcessPool.Confining.Linux.Interop;

namespace ProcessPool.Confining.Linux;

/// <summary>One instruction of the kernel's packet filter (BPF). Source: linux/filter.h.</summary>
/// <param name="Code">What it does.</param>
/// <param name="IfTrue">How many instructions a jump skips when it holds.</param>
/// <param name="IfFalse">And when it does not.</param>
/// <param name="Operand">The constant.</param>
[StructLayout(LayoutKind.Sequential)]
internal readonly record struct FilterInstruction(ushort Code, byte IfTrue, byte IfFalse, uint Operand);

/// <summary>Makes the filter of system calls, and installs it for all threads. Source: Documentation/userspace-api/seccomp_filter.rst, linux/seccomp.h.</summary>
internal static class SeccompFilter
{
    public const uint Allow = 0x7fff0000;
    public const uint Error = 0x00050000;
    public const uint KillProcess = 0x80000000;

    public const ushort Load = 0x20;
    public const ushort And = 0x54;
    public const ushort JumpEqual = 0x15;
    public const ushort JumpGreaterOrEqual = 0x35;
    public const ushort JumpAnyBit = 0x45;
    public const ushort Return = 0x06;

    private const uint NumberAt = 0;
    private const uint ArchitectureAt = 4;
    private const uint ArgumentsAt = 16;
    private const uint FirstX32 = 0x40000000;

    private const int SetModeFilter = 1;
    private const int SynchronizeThreads = 1;

    /// <summary>The filter.</summary>
    /// <param name="denied">What is refused.</param>
    /// <param name="architecture">Whose numbers.</param>
    /// <param name="processId">Whose process id.</param>
    public static FilterInstruction[] Make(IEnumerable<DeniedCall> denied, Architecture architecture, int processId)
    {
        // Numbers of another architecture, by which 32-bit code would call, are the end of the process.
        var program = new List<FilterInstruction>
        {
            new(Load, 0, 0, ArchitectureAt),
            new(JumpEqual, 1, 0, architecture == Architecture.X64 ? 0xC000003E : 0xC00000B7),
            new(Return, 0, 0, KillProcess),
            new(Load, 0, 0, NumberAt),
            new(JumpGreaterOrEqual, 0, 1, FirstX32),
            new(Return, 0, 0, KillProcess),
            new(JumpGreaterOrEqual, 0, 1, SystemCall.FirstUnknown),
            new(Return, 0, 0, Error | ErrorNumber.NotImplemented),
        };
        foreach (var call in denied)
        {
            if (call.Call.NumberOn(architecture) is not SystemCall.None and var number)
            {
                Add(program, (uint)number, call, (uint)processId);
            }
        }

        program.Add(new(Return, 0, 0, Allow));
        return [.. program];
    }

    /// <summary>Installs it for all threads of this process. They must not gain privileges any more.</summary>
    /// <returns>0, or the error's number; the number of a thread that could not follow is an error too.</returns>
    [SupportedOSPlatform("linux")]
    public static unsafe int Install(FilterInstruction[] filter)
    {
        fixed (FilterInstruction* instructions = filter)
        {
            var program = new Program { Length = (ushort)filter.Length, Instructions = instructions };
            var result = LibC.Call(SystemCall.Seccomp.Number, SetModeFilter, SynchronizeThreads, (nint)(&program));
            return result == 0 ? 0 : result < 0 ? (int)-result : ErrorNumber.InvalidArgument;
        }
    }

    private static void Add(List<FilterInstruction> program, uint number, DeniedCall call, uint processId)
    {
        var refuse = new FilterInstruction(Return, 0, 0, Error | (uint)call.Error);
        if (call.Tests.Length == 0)
        {
            program.Add(new(JumpEqual, 0, 1, number));
            program.Add(refuse);
            return;
        }

        var body = new List<FilterInstruction>();
        foreach (var test in call.Tests)
        {
            AddTest(body, test, refuse, processId);
        }

        // The number again, for what follows.
        body.Add(new(Load, 0, 0, NumberAt));
        program.Add(new(JumpEqual, 0, checked((byte)body.Count), number));
        program.AddRange(body);
    }

    // Loads the argument, and jumps over the refusal when the test does not hold.
    private static void AddTest(List<FilterInstruction> body, ArgumentTest test, FilterInstruction refuse, uint processId)
    {
        var low = new FilterInstruction(Load, 0, 0, ArgumentsAt + (8 * (uint)test.Argument));
        var high = low with { Operand = low.Operand + 4 };
        body.Add(low);
        switch (test.Kind)
        {
            case ArgumentTestKind.NoneOf:
                AllowOneOf(test.Values);
                break;
            case ArgumentTestKind.OtherProcess:
                AllowOneOf([0, processId]);
                break;
            case ArgumentTestKind.NotThis:
                AllowOneOf([processId]);
                break;
            case ArgumentTestKind.OneOf:
                for (var i = 0; i < test.Values.Length; i++)
                {
                    var isLast = i == test.Values.Length - 1;
                    body.Add(new(JumpEqual, (byte)(test.Values.Length - 1 - i), (byte)(isLast ? 1 : 0), test.Values[i]));
                }

                break;
            case ArgumentTestKind.Masked:
                body.Add(new(And, 0, 0, test.Values[0]));
                body.Add(new(JumpEqual, 0, 1, test.Values[1]));
                break;
            case ArgumentTestKind.Lacks:
                body.Add(new(JumpAnyBit, 1, 0, test.Values[0]));
                break;
            default:
                // Either half.
                body.Add(new(JumpEqual, 0, 2, 0));
                body.Add(high);
                body.Add(new(JumpEqual, 1, 0, 0));
                break;
        }

        body.Add(refuse);

        void AllowOneOf(uint[] values)
        {
            for (var i = 0; i < values.Length; i++)
            {
                body.Add(new(JumpEqual, (byte)(values.Length - i), 0, values[i]));
            }
        }
    }

    [StructLayout(LayoutKind.Sequential)]
    private unsafe struct Program
    {
        public ushort Length;
        public FilterInstruction* Instructions;
    }
}
