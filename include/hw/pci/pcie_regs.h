/*
 * The PCI Express capability and the extended ones (PCI Express Base 5.0, chapter 7): offsets in
 * bytes from the capability, bits as masks.
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#ifndef HW_PCI_PCIE_REGS_H
#define HW_PCI_PCIE_REGS_H

/* PCI Express capability, version 2: 0x3c bytes */
#define PCI_EXP_BYTES      0x3c
#define PCI_EXP_BYTES_V1   0x14 /* of endpoints */
#define PCI_EXP_FLAGS      0x02
#define PCI_EXP_FLAGS_TYPE_SHIFT 4
#define PCI_EXP_FLAGS_SLOT        0x0100
#define PCI_EXP_DEVCAP     0x04
#define PCI_EXP_DEVCAP_EXT_TAG    0x00000020
#define PCI_EXP_DEVCAP_RBER       0x00008000
#define PCI_EXP_DEVCAP_FLR        0x10000000
#define PCI_EXP_DEVCTL     0x08
#define PCI_EXP_DEVCTL_CERE       0x0001
#define PCI_EXP_DEVCTL_NFERE      0x0002
#define PCI_EXP_DEVCTL_FERE       0x0004
#define PCI_EXP_DEVCTL_URRE       0x0008
#define PCI_EXP_DEVCTL_FLR        0x8000 /* endpoints; bridges to PCI: retry enable */
#define PCI_EXP_DEVSTA     0x0a
#define PCI_EXP_DEVSTA_CED        0x0001
#define PCI_EXP_DEVSTA_NFED       0x0002
#define PCI_EXP_DEVSTA_FED        0x0004
#define PCI_EXP_DEVSTA_URD        0x0008
#define PCI_EXP_DEVSTA_TRPND      0x0020
#define PCI_EXP_LNKCAP     0x0c
#define PCI_EXP_LNKCAP_WIDTH_SHIFT 4
#define PCI_EXP_LNKCAP_ASPM_L0S   0x00000400
#define PCI_EXP_LNKCAP_DLLLARC    0x00100000
#define PCI_EXP_LNKCAP_LBNC       0x00200000
#define PCI_EXP_LNKCAP_PORT_SHIFT 24
#define PCI_EXP_LNKCTL     0x10
#define PCI_EXP_LNKCTL_L0S        0x0001 /* ASPM */
#define PCI_EXP_LNKCTL_CCC        0x0040 /* common clock */
#define PCI_EXP_LNKCTL_ES         0x0080 /* extended synch */
#define PCI_EXP_LNKSTA     0x12
#define PCI_EXP_LNK_SPEED         0x000f
#define PCI_EXP_LNK_WIDTH         0x03f0
#define PCI_EXP_LNKSTA_DLLLA      0x2000
#define PCI_EXP_SLTCAP     0x14
#define PCI_EXP_SLTCAP_ABP        0x00000001
#define PCI_EXP_SLTCAP_PCP        0x00000002
#define PCI_EXP_SLTCAP_AIP        0x00000008
#define PCI_EXP_SLTCAP_PIP        0x00000010
#define PCI_EXP_SLTCAP_HPS        0x00000020
#define PCI_EXP_SLTCAP_HPC        0x00000040
#define PCI_EXP_SLTCAP_EIP        0x00020000
#define PCI_EXP_SLTCAP_PSN_SHIFT  19
#define PCI_EXP_SLTCTL     0x18
#define PCI_EXP_SLTCTL_ABPE       0x0001
#define PCI_EXP_SLTCTL_PDCE       0x0008
#define PCI_EXP_SLTCTL_CCIE       0x0010
#define PCI_EXP_SLTCTL_HPIE       0x0020
#define PCI_EXP_SLTCTL_AIC        0x00c0
#define PCI_EXP_SLTCTL_PIC        0x0300
#define PCI_EXP_SLTCTL_PIC_ON     0x0100
#define PCI_EXP_SLTCTL_PIC_BLINK  0x0200
#define PCI_EXP_SLTCTL_PIC_OFF    0x0300
#define PCI_EXP_SLTCTL_AIC_OFF    0x00c0
#define PCI_EXP_SLTCTL_PCC        0x0400 /* 1: power off */
#define PCI_EXP_SLTCTL_EIC        0x0800
#define PCI_EXP_SLTCTL_DLLSCE     0x1000
#define PCI_EXP_SLTSTA     0x1a
#define PCI_EXP_SLTSTA_ABP        0x0001
#define PCI_EXP_SLTSTA_PDC        0x0008
#define PCI_EXP_SLTSTA_CC         0x0010
#define PCI_EXP_SLTSTA_PDS        0x0040
#define PCI_EXP_SLTSTA_EIS        0x0080
#define PCI_EXP_SLTSTA_DLLSC      0x0100
#define PCI_EXP_RTCTL      0x1c
#define PCI_EXP_RTCTL_ERRORS      0x0007 /* system error on correctable, non-fatal, fatal */
#define PCI_EXP_DEVCAP2    0x24
#define PCI_EXP_DEVCAP2_ARI       0x00000020
#define PCI_EXP_DEVCAP2_EFF       0x00100000
#define PCI_EXP_DEVCAP2_EETLPP    0x00200000
#define PCI_EXP_DEVCTL2    0x28
#define PCI_EXP_DEVCTL2_ARI       0x0020
#define PCI_EXP_DEVCTL2_EETLPPB   0x8000
#define PCI_EXP_LNKCAP2    0x2c
#define PCI_EXP_LNKCTL2    0x30

/* Extended capabilities: id, version, next */
#define PCIE_EXT_CAP(id, version) ((id) | (version) << 16)
#define PCI_EXT_CAP_ID_AER   0x0001
#define PCI_EXT_CAP_ID_DSN   0x0003
#define PCI_EXT_CAP_ID_ACS   0x000d
#define PCI_EXT_CAP_ID_ARI   0x000e
#define PCI_EXT_CAP_ID_ATS   0x000f
#define PCI_EXT_CAP_ID_SRIOV 0x0010
#define PCI_EXT_CAP_ID_PRI   0x0013
#define PCI_EXT_CAP_ID_PASID 0x001b

/* Advanced error reporting: 0x48 bytes */
#define PCI_ERR_BYTES          0x48
#define PCI_ERR_UNCOR_STATUS   0x04
#define PCI_ERR_UNCOR_MASK     0x08
#define PCI_ERR_UNCOR_SEVERITY 0x0c
#define PCI_ERR_UNC_DLP               0x00000010
#define PCI_ERR_UNC_SDN               0x00000020
#define PCI_ERR_UNC_POISON_TLP        0x00001000
#define PCI_ERR_UNC_FCP               0x00002000
#define PCI_ERR_UNC_COMP_TIME         0x00004000
#define PCI_ERR_UNC_COMP_ABORT        0x00008000
#define PCI_ERR_UNC_UNX_COMP          0x00010000
#define PCI_ERR_UNC_RX_OVER           0x00020000
#define PCI_ERR_UNC_MALF_TLP          0x00040000
#define PCI_ERR_UNC_ECRC              0x00080000
#define PCI_ERR_UNC_UNSUP             0x00100000
#define PCI_ERR_UNC_ACSV              0x00200000
#define PCI_ERR_UNC_INTN              0x00400000
#define PCI_ERR_UNC_MCBTLP            0x00800000
#define PCI_ERR_UNC_ATOPEG            0x01000000
#define PCI_ERR_UNC_TLPPRE            0x02000000
#define PCI_ERR_UNC_ALL               0x03fff030
#define PCI_ERR_UNC_FATAL             0x00462030 /* severity after reset */
#define PCI_ERR_COR_STATUS     0x10
#define PCI_ERR_COR_MASK       0x14
#define PCI_ERR_COR_RCVR              0x00000001
#define PCI_ERR_COR_BAD_TLP           0x00000040
#define PCI_ERR_COR_BAD_DLLP          0x00000080
#define PCI_ERR_COR_REP_ROLL          0x00000100
#define PCI_ERR_COR_REP_TIMER         0x00001000
#define PCI_ERR_COR_ADV_NONFATAL      0x00002000
#define PCI_ERR_COR_INTERNAL          0x00004000
#define PCI_ERR_COR_HL_OVERFLOW       0x00008000
#define PCI_ERR_COR_ALL               0x0000f1c1
#define PCI_ERR_COR_MASKED            0x0000e000 /* mask after reset */
#define PCI_ERR_CAP            0x18
#define PCI_ERR_CAP_FEP               0x0000001f
#define PCI_ERR_CAP_ECRC_GENC         0x00000020
#define PCI_ERR_CAP_ECRC_GENE         0x00000040
#define PCI_ERR_CAP_ECRC_CHKC         0x00000080
#define PCI_ERR_CAP_ECRC_CHKE         0x00000100
#define PCI_ERR_CAP_MHRC              0x00000200
#define PCI_ERR_CAP_MHRE              0x00000400
#define PCI_ERR_CAP_TLP_PREFIX        0x00000800
#define PCI_ERR_HEADER_LOG     0x1c /* 4 words */
#define PCI_ERR_ROOT_COMMAND   0x2c /* enables: correctable, non-fatal, fatal */
#define PCI_ERR_ROOT_COMMAND_COR      0x00000001
#define PCI_ERR_ROOT_COMMAND_NONFATAL 0x00000002
#define PCI_ERR_ROOT_COMMAND_FATAL    0x00000004
#define PCI_ERR_ROOT_STATUS    0x30
#define PCI_ERR_ROOT_COR_RCV          0x00000001
#define PCI_ERR_ROOT_MULTI_COR_RCV    0x00000002
#define PCI_ERR_ROOT_UNCOR_RCV        0x00000004
#define PCI_ERR_ROOT_MULTI_UNCOR_RCV  0x00000008
#define PCI_ERR_ROOT_FIRST_FATAL      0x00000010
#define PCI_ERR_ROOT_NONFATAL_RCV     0x00000020
#define PCI_ERR_ROOT_FATAL_RCV        0x00000040
#define PCI_ERR_ROOT_MESSAGE_SHIFT    27
#define PCI_ERR_ROOT_COR_SOURCE   0x34
#define PCI_ERR_ROOT_UNCOR_SOURCE 0x36
#define PCI_ERR_PREFIX_LOG     0x38 /* 4 words */

/* Access control services */
#define PCI_ACS_CAP  0x04
#define PCI_ACS_CTRL 0x06
#define PCI_ACS_PORT_SERVICES 0x005f /* SV, TB, RR, CR, UF, DT */

/* Alternative routing-ID */
#define PCI_ARI_CAP  0x04
#define PCI_ARI_CTRL 0x06

/* Address translation services */
#define PCI_ATS_CAP  0x04
#define PCI_ATS_CAP_PAGE_ALIGNED  0x0020
#define PCI_ATS_CTRL 0x06
#define PCI_ATS_CTRL_STU          0x001f
#define PCI_ATS_CTRL_ENABLE       0x8000

/* Page requests */
#define PCI_PRI_CTRL   0x04
#define PCI_PRI_CTRL_ENABLE       0x0001
#define PCI_PRI_CTRL_RESET        0x0002
#define PCI_PRI_STATUS 0x06
#define PCI_PRI_STATUS_RF         0x0001 /* response failure */
#define PCI_PRI_STATUS_UPRGI      0x0002 /* unexpected group index */
#define PCI_PRI_STATUS_STOPPED    0x0100
#define PCI_PRI_STATUS_PASID      0x8000 /* responses carry a PASID */
#define PCI_PRI_MAX    0x08
#define PCI_PRI_ALLOC  0x0c

/* Process address space ids */
#define PCI_PASID_CAP  0x04
#define PCI_PASID_CAP_EXEC        0x0002
#define PCI_PASID_CAP_PRIV        0x0004
#define PCI_PASID_CAP_WIDTH_SHIFT 8
#define PCI_PASID_CTRL 0x06
#define PCI_PASID_CTRL_ENABLE     0x0001
#define PCI_PASID_CTRL_EXEC       0x0002
#define PCI_PASID_CTRL_PRIV       0x0004

/* Single root I/O virtualization: 0x40 bytes */
#define PCI_SRIOV_BYTES     0x40
#define PCI_SRIOV_CAP       0x04
#define PCI_SRIOV_CAP_ARI_PRESERVED 0x00000002
#define PCI_SRIOV_CTRL      0x08
#define PCI_SRIOV_CTRL_VF_ENABLE  0x0001
#define PCI_SRIOV_CTRL_VF_MSE     0x0008
#define PCI_SRIOV_CTRL_ARI        0x0010
#define PCI_SRIOV_STATUS    0x0a
#define PCI_SRIOV_INITIAL_VF 0x0c
#define PCI_SRIOV_TOTAL_VF  0x0e
#define PCI_SRIOV_NUM_VF    0x10
#define PCI_SRIOV_VF_OFFSET 0x14
#define PCI_SRIOV_VF_STRIDE 0x16
#define PCI_SRIOV_VF_DEVICE 0x1a
#define PCI_SRIOV_SUPPORTED_PAGES 0x1c
#define PCI_SRIOV_PAGE_SIZE 0x20
#define PCI_SRIOV_BAR0      0x24

#endif
