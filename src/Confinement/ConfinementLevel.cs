namespace ProcessPool;

/// <summary>How far a sandbox process is confined. Each level keeps what the ones before it promise.</summary>
public enum ConfinementLevel
{
    /// <summary>A process of its own: a crash costs one call. Nothing else is kept from the plugin.</summary>
    None,

    /// <summary>
    /// Bounded resources, where the policy has limits; no core files; no descriptors that this process happened to leave open; ended first when memory is short. The default. For code that may fail, not for
    /// code that means harm.
    /// </summary>
    Limits,

    /// <summary>No files but those that were granted, no network, no child processes, other processes out of reach. Where that cannot be enforced the plugin is not loaded. Linux only.</summary>
    Restricted,

    /// <summary>Also no shared memory and no changes of file attributes. Linux only.</summary>
    Strict,
}
