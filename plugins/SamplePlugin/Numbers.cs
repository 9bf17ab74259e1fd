using ProcessPool;

namespace SamplePlugin;

public static class Numbers
{
    [EntryPoint]
    public static long Square(long value) => checked(value * value);
}
