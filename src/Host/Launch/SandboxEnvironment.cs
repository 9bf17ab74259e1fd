using System.Collections;
using System.Globalization;
using ProcessPool.Protocol;

namespace ProcessPool.Launch;

/// <summary>
/// The environment of one sandbox. From weak to strong: what the pool sets by itself, what this process's environment has (when
/// inherited), <see cref="SandboxPoolOptions.Environment"/>, <see cref="SandboxPoolOptions.WorkerEnvironment"/>, the pool's own marks.
/// </summary>
internal static class SandboxEnvironment
{
    // Each makes the runtime or the loader run code in every child; the host's debugging aids are not the sandbox's.
    private static readonly string[] Stripped =
    [
        "DOTNET_STARTUP_HOOKS", "DOTNET_ADDITIONAL_DEPS", "DOTNET_SHARED_STORE", "CORECLR_ENABLE_PROFILING", "CORECLR_PROFILER",
        "CORECLR_PROFILER_PATH", "CORECLR_PROFILER_PATH_64", "DOTNET_DiagnosticPorts", "LD_PRELOAD", "LD_AUDIT", "DYLD_INSERT_LIBRARIES",
    ];

    private static readonly string[] KeptWhenClean =
    [
        "PATH", "HOME", "TMPDIR", "TEMP", "TMP", "LANG", "LC_ALL", "TZ", "DOTNET_ROOT", "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT",
        "SystemRoot", "windir", "USERPROFILE", "PATHEXT",
    ];

    // Of private memory, which is not the managed heap alone.
    private const long BesideManagedHeap = 64L * 1024 * 1024;
    private const long LeastManagedHeap = 16L * 1024 * 1024;

    // One worker a processor is the pool's parallelism; native libraries must not multiply it. The list is joblib's.
    private static readonly string[] ThreadCaps =
    [
        "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "BLIS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS",
        "NUMEXPR_NUM_THREADS",
    ];

    // Positive lists and "-1" rather than "", which on Windows is the same as unset.
    private static readonly (string Name, string Value)[] GpuOff =
    [
        ("CUDA_VISIBLE_DEVICES", "-1"), ("HIP_VISIBLE_DEVICES", "-1"), ("ROCR_VISIBLE_DEVICES", "-1"), ("GPU_DEVICE_ORDINAL", "-1"),
        ("ONEAPI_DEVICE_SELECTOR", "opencl:cpu"), ("NVIDIA_VISIBLE_DEVICES", "void"), ("LIBGL_ALWAYS_SOFTWARE", "1"),
        ("TF_CPP_MIN_LOG_LEVEL", "3"),
    ];

    /// <summary>All variables of one sandbox.</summary>
    /// <param name="settings">The pool's.</param>
    /// <param name="poolName">For templates.</param>
    /// <param name="workerName">The worker's name.</param>
    /// <param name="index">The worker's index, for templates.</param>
    /// <param name="hostEnvironment">This process's environment.</param>
    /// <param name="depth">How many pools are around the sandbox.</param>
    public static Dictionary<string, string> Build(PoolSettings settings, string poolName, string workerName, int index, IDictionary hostEnvironment, int depth)
    {
        var variables = Inherited(settings, hostEnvironment);
        foreach (var name in ThreadCaps)
        {
            variables.TryAdd(name, "1");
        }

        variables.TryAdd("DOTNET_PROCESSOR_COUNT", Math.Max(1, Environment.ProcessorCount / settings.Workers).ToString(CultureInfo.InvariantCulture));
        if (settings.MemoryLimit is { } limit)
        {
            // What is looked at four times a second cannot be outrun on the managed heap.
            var heap = settings.Confinement.MemoryLimit is { } all ? Math.Min(limit, Math.Max(LeastManagedHeap, all - BesideManagedHeap)) : limit;
            variables.TryAdd("DOTNET_GCHeapHardLimit", heap.ToString("X", CultureInfo.InvariantCulture));
        }

        if (settings.Gpu == GpuAccess.Off)
        {
            foreach (var (name, value) in GpuOff)
            {
                variables.TryAdd(name, value);
            }
        }

        var gpu = settings.GpuAssignment?.DeviceOf(index).ToString(CultureInfo.InvariantCulture);
        if (gpu is not null)
        {
            // Numbers as the device files have them; CUDA's own order is by speed.
            variables["CUDA_DEVICE_ORDER"] = "PCI_BUS_ID";
            variables["CUDA_VISIBLE_DEVICES"] = variables["ROCR_VISIBLE_DEVICES"] = gpu;
            // Numbers among those that ROCR lets through.
            variables["HIP_VISIBLE_DEVICES"] = variables["GPU_DEVICE_ORDINAL"] = "0";
        }

        foreach (var (name, value) in settings.Environment.Concat(settings.WorkerEnvironment?.Invoke(index) ?? []))
        {
            if (name.Length == 0 || name.Contains('=') || name.Contains('\0') || value?.Contains('\0') == true)
            {
                throw new ArgumentException($"WorkerEnvironment has '{name}' for worker {index}, which no environment variable can be.");
            }

            if (value is null)
            {
                variables.Remove(name);
            }
            else
            {
                variables[name] = value
                    .Replace("{worker}", index.ToString(CultureInfo.InvariantCulture), StringComparison.Ordinal)
                    .Replace("{pool}", poolName, StringComparison.Ordinal)
                    .Replace("{gpu}", gpu ?? "{gpu}", StringComparison.Ordinal);
            }
        }

        variables[SandboxArguments.WorkerVariable] = workerName;
        variables[SandboxArguments.DepthVariable] = depth.ToString(CultureInfo.InvariantCulture);
        return variables;
    }

    private static Dictionary<string, string> Inherited(PoolSettings settings, IDictionary hostEnvironment)
    {
        var comparer = OperatingSystem.IsWindows() ? StringComparer.OrdinalIgnoreCase : StringComparer.Ordinal;
        var variables = new Dictionary<string, string>(comparer);
        foreach (DictionaryEntry variable in hostEnvironment)
        {
            var name = (string)variable.Key;
            if (settings.InheritEnvironment ? !Stripped.Contains(name, comparer) : KeptWhenClean.Contains(name, comparer))
            {
                variables[name] = (string?)variable.Value ?? "";
            }
        }

        return variables;
    }
}
