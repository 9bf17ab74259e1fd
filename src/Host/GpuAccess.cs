namespace ProcessPool;

/// <summary>Whether sandboxes may use the machine's GPUs.</summary>
public enum GpuAccess
{
    /// <summary>
    /// GPU libraries are told by environment variables that there is none (<c>CUDA_VISIBLE_DEVICES=-1</c> and its kin). This is advice
    /// to friendly libraries, not a boundary against hostile code.
    /// </summary>
    Off,

    /// <summary>Nothing is set; sandboxes see what the host sees.</summary>
    On,
}
