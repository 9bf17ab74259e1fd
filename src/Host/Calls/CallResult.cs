namespace ProcessPool;

/// <summary>A result, and what it cost.</summary>
/// <typeparam name="T">The type of the result.</typeparam>
/// <param name="Value">The result.</param>
/// <param name="WorkerName">The worker that executed the call.</param>
/// <param name="ProcessId">Its process; null in debug mode.</param>
/// <param name="QueueTime">How long the call waited for the worker.</param>
/// <param name="RunTime">How long it executed, from its arguments to its result.</param>
/// <param name="CpuTime">The processor time of all threads of the worker meanwhile.</param>
/// <param name="AllocatedBytes">What the worker allocated on its managed heap meanwhile.</param>
/// <param name="PeakMemory">The most resident memory the worker's process ever had, in bytes, as the system says; null when that is unknown (debug mode).</param>
/// <remarks>Run time, processor time and allocations are the worker's own account: a hostile plugin can forge them. In debug mode they are those of the whole program.</remarks>
public sealed record CallResult<T>(
    T Value, string WorkerName, int? ProcessId, TimeSpan QueueTime, TimeSpan RunTime, TimeSpan CpuTime, long AllocatedBytes, long? PeakMemory);
